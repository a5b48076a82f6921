// Turns the test vectors of draft-connolly-cfrg-xwing-kem (its spec/test-vectors.json, given as argument) into protocol/vectors/x-wing.json.
import { readFileSync } from "node:fs";
import { writeVectors } from "./write-vectors.ts";

const [source = ""] = process.argv.slice(2);
const draft = JSON.parse(readFileSync(source, "utf8")) as Record<"seed" | "eseed" | "pk" | "ct" | "ss", string>[];
writeVectors("x-wing", {
  area: "keys",
  about:
    "The vectors of draft-connolly-cfrg-xwing-kem, appendix C (spec/test-vectors.json of its repository). encapsulationSeed is what encapsulation draws: 32 bytes for ML-KEM, 32 for X25519.",
  cases: draft.map((one, index) => ({
    name: `X-Wing draft, vector ${index + 1}`,
    expect: "ok",
    kind: "x-wing",
    seed: one.seed,
    encapsulationSeed: one.eseed,
    publicKey: one.pk,
    ciphertext: one.ct,
    secret: one.ss,
  })),
});
