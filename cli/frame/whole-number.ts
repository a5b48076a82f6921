import { CliError } from "./exit.ts";

/** Reads an option's whole number, up to 9,999,999,999, so that a user id fits; the reader throws CLI_USAGE with the option's name. */
export function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (/^(0|[1-9][0-9]{0,9})$/.test(text)) return Number(text);
    throw new CliError("CLI_USAGE", `${option} takes a whole number, not '${text}'`);
  };
}
