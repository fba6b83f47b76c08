/** The files of k8s/base by name. Throws what Helm says. */
export function baseFiles(): Map<string, string>;
