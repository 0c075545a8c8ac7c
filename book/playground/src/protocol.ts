//! What the page asks of the language, and what it is answered: the types that the crate
//! imgc-playground has. Places are lines and columns from 0.

export type Place = [line: number, column: number];

export interface Piece {
  file: string;
  from: Place;
  to: Place;
}

export interface Edit extends Piece {
  text: string;
}

export interface Sample {
  title: string;
  entry: string;
  files: [name: string, text: string][];
}

export interface Finding extends Piece {
  code: string;
  title: string;
  severity: "error" | "warning";
  message: string;
  label: string;
  notes: string[];
  help: string | null;
  related: (Piece & { text: string })[];
  fixes: { title: string; edits: Edit[] }[];
}

export interface Line {
  text: string;
  detail: string;
  place: Piece | null;
}

export interface Part {
  kind: "packages" | "users" | "files" | "config" | "layers";
  title: string;
  lines: Line[];
  more: number;
}

export interface Image {
  name: string;
  platform: string;
  place: Piece | null;
  parts: Part[];
}

export interface Evaluated {
  findings: Finding[];
  images: Image[] | null;
  more: number;
  json: string | null;
  value: string | null;
  isFunction: boolean;
}

export interface Hover extends Piece {
  text: string;
}

export interface Offer extends Piece {
  label: string;
  kind: string;
  detail: string | null;
  insert: string;
  isSnippet: boolean;
  further: Edit[];
  rank: number;
}

export interface Token extends Piece {
  sort: string;
}

/** The questions about a project that is open, and what each is answered. */
export interface Questions {
  samples: { ask: object; answer: Sample[] };
  check: { ask: object; answer: Finding[] };
  evaluate: { ask: { file: string }; answer: Evaluated };
  hover: { ask: { file: string; at: Place }; answer: Hover | null };
  complete: { ask: { file: string; at: Place }; answer: Offer[] };
  describe: { ask: { completion: number }; answer: string | null };
  format: { ask: { file: string }; answer: Edit[] };
  tokens: { ask: { file: string }; answer: Token[] };
}
