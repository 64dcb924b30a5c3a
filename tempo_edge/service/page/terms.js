// What the service understood of a query of several things: a chip for each.

const ROLES = { find: "", and: "and", not: "not", then: "then" };

/** Show the terms of an answer; none where one thing was asked for. */
export function showTerms(list, answer) {
  const terms = answer?.understood ?? [];
  const missing = new Set(answer?.missing ?? []);
  list.hidden = terms.length === 0;
  list.replaceChildren(...terms.map((term) => chip(term, missing.has(term.text))));
}

function chip({ text, role }, isMissing) {
  const item = document.createElement("li");
  item.className = `term ${role in ROLES ? role : ""}`;
  if (ROLES[role]) {
    const word = document.createElement("b");
    word.textContent = `${ROLES[role]} `;
    item.append(word);
  }
  const name = document.createElement("span");
  name.dir = "auto";
  name.textContent = text;
  item.append(name);
  if (isMissing) {
    const none = document.createElement("i");
    none.textContent = " found nowhere";
    item.append(none);
  }
  return item;
}

/** Why nothing matches, where one of the terms is nowhere; else empty. */
export function missingWords(answer) {
  const [first] = answer.missing ?? [];
  return first ? `Nothing in your footage matches “${first}”, and without that nothing matches the whole.` : "";
}
