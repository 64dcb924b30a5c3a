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
    none.textContent = " not found for sure";
    item.append(none);
  }
  return item;
}

/** Why nothing matches, where some of the terms are not found for sure; else empty. */
export function missingWords(answer) {
  const each = (answer.missing ?? []).map((text) => `“${text}”`);
  const all = each.length > 1 ? `${each.slice(0, -1).join(", ")} or ${each.at(-1)}` : each[0];
  return all ? `Nothing in your footage is surely ${all}, and without that nothing matches the whole.` : "";
}
