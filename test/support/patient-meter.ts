import { builtinModelText } from "../../firmware-adapters/index.ts";

/**
 * A meter for tests, as a model's text: it never locks, where the real one's lockout is unknown and allows one attempt in half an hour, and
 * its passwords are words, so that a test can say what they are.
 */
export function patientMeterText(): string {
  return builtinModelText("eastron-sdm")
    .replace("name: eastron-sdm", "name: patient-meter")
    .replace("lockout: unknown", "lockout: none")
    .replace(
      /\{ kind: number[^}]*\}/,
      '{ kind: text, minLength: 1, maxLength: 64, alphabet: "abcdefghijklmnopqrstuvwxyz0123456789-" }',
    );
}
