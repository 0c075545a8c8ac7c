// What the command line is told. Depends on nothing, so that it can be tested by itself.

/** The arguments of `imgc` that build `image`: a file, or `FILE#NAME`. */
export function buildArguments(image: string): string[] {
  // What begins with a dash is a file all the same.
  return ["build", "--", image];
}
