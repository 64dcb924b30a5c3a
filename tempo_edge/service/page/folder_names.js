// The folder of each file by as much of its path as tells it apart from the others that are shown.

const ELIDED = "…";

const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** The shortest ends of paths that no other has, as lists of folders; the last alone where there is
 *  one path only. */
function ends(folders) {
  const steps = folders.map((folder) => folder.split("/").filter(Boolean));
  const held = new Map();
  for (const each of steps) {
    for (let from = 0; from < each.length; from += 1) {
      const end = each.slice(from).join("/");
      held.set(end, (held.get(end) ?? 0) + 1);
    }
  }
  return steps.map((each) => {
    for (let from = each.length - 1; from > 0; from -= 1) {
      if (held.get(each.slice(from).join("/")) === 1) return each.slice(from);
    }
    return each;
  });
}

/** Names of the folders of some files, by path: `["2024", "trip"]` for one of several trips. */
export function folderNames(paths) {
  const folders = [...new Set(paths.map(folderOf))];
  const full = ends(folders);
  const short = full.map((each) => (each.length > 3 ? [each[0], ELIDED, each.at(-1)] : each));
  const told = new Map();
  for (const each of short) told.set(each.join("/"), (told.get(each.join("/")) ?? 0) + 1);
  const names = new Map(
    folders.map((folder, at) => [folder, told.get(short[at].join("/")) === 1 ? short[at] : full[at]]),
  );
  return new Map(paths.map((path) => [path, names.get(folderOf(path))]));
}
