import type { Scenario } from './scenario.ts';

/** The scenarios of these names and what they need, in the order of the list; all of them without a name. Throws for a name that is none. */
export function chosen(scenarios: readonly Scenario[], names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios;
  const wanted = new Set<string>();
  const want = (name: string) => {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined)
      throw new Error(`there is no scenario ${name}; there are ${scenarios.map((one) => one.name).join(', ')}`);
    wanted.add(name);
    scenario.needs.forEach(want);
  };
  names.forEach(want);
  return scenarios.filter(({ name }) => wanted.has(name));
}
