import { z } from "zod";
import { defaultReserveMib } from "../space/index.ts";
import type { ConfigEntry } from "./config.ts";

const policy = z.enum(["open", "closed"]);

/** The section `audit`: room for the log, and what happens while there is none. */
export const auditShape = z
  .strictObject({
    reserveMib: z.int().min(8).max(1024).default(defaultReserveMib),
    whenFull: z
      .strictObject({
        reads: policy.default("open"),
        administration: policy.default("closed"),
      })
      .prefault({}),
  })
  .prefault({});

/** The section `audit` of a first configuration. */
export const firstAudit: ConfigEntry = {
  key: "audit",
  value: { reserveMib: defaultReserveMib, whenFull: { reads: "open", administration: "closed" } },
  comment:
    "reserveMib: room on the disk that is kept for entries which must be written. whenFull: while the disk is nearly full, open lets it\n" +
    "happen without an entry (a gap entry says so later), closed refuses it. Rotations are never begun then, and always finished.",
};
