/** Names of namespaces that clients bring into being. Pure. */

const LONGEST = 128;

// `#` ends the name of a namespace in the channels of the Redis adapters: "/a#b" would hear what is said in "/a" to room "b".
const notAllowed = /[#\p{C}\p{Zl}\p{Zp}]/u;

/** 1 to 128 printable characters without `#`. */
export function isNamespaceName(name: string): boolean {
  return name.length > 0 && name.length <= LONGEST && !notAllowed.test(name);
}
