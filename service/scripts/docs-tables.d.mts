/** The tables of the code that the reference is made of. */
export interface ReferenceData {
  readonly settings: Readonly<Record<string, object>>;
  readonly refusals: Readonly<Record<string, object>>;
  readonly metrics: Readonly<Record<string, object>>;
  /** openapi.yaml, parsed. */
  readonly openapi: object;
}

export function renderSections(data: ReferenceData): Record<string, string>;
export function replaceSections(text: string, sections: Readonly<Record<string, string>>): string;
