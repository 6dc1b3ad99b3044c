/** Says loudly that something could not be tested here; in CI that is a failure. */
export function cannotTestHere(what: string, howToGetIt: string): void {
  const text = `NOT TESTED: ${what}. ${howToGetIt}`
  if (process.env.CI) throw new Error(text)
  console.warn(text)
}
