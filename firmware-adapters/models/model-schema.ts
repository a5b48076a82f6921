import { z } from "zod";
import { maxModelNotes, maxNoteLength, maxSettingLength, maxSettings, maxWaitMs } from "./limits.ts";
import type { DeviceModel, SettingRule } from "./model.ts";
import { recipeSchema } from "./recipe-schema.ts";
import { sshSchema } from "./ssh-schema.ts";
import { valueSchema } from "./value-schema.ts";

const note = z.string().min(1).max(maxNoteLength);
const notes = z.array(note).max(maxModelNotes);
const fieldName = z.string().regex(/^[a-z][A-Za-z0-9]{0,31}$/, "a letter a-z, then letters and digits, up to 32");
const settingText = z.string().max(maxSettingLength);

const setting = z
  .strictObject({
    title: note,
    oneOf: z.array(settingText.min(1)).min(1).max(maxModelNotes).nullable().default(null),
    min: z.int().nullable().default(null),
    max: z.int().nullable().default(null),
    default: settingText.nullable().default(null),
  })
  .transform((rule): SettingRule => rule);

const lockout = z.union(
  [
    z.literal(["unknown", "none"]),
    z.strictObject({
      tries: z.int().min(1).max(1000),
      windowS: z.int().min(1).max(86_400),
      durationS: z.int().min(1).max(604_800),
      scope: z.enum(["account", "device"]),
    }),
  ],
  {
    error:
      "expected unknown, none, or tries (1 to 1000), windowS (1 to 86400), durationS (1 to 604800) and scope (account or device)",
  },
);

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "letters a-z, digits and -, up to 63"),
  title: note,
  manuals: z
    .array(z.strictObject({ title: note, place: note }))
    .min(1)
    .max(maxModelNotes),
  notProven: notes,
  defaultPort: z.int().min(1).max(65_535),
  settings: z
    .record(fieldName, setting)
    .refine((map) => Object.keys(map).length <= maxSettings, `object with too many settings, allowed: up to ${maxSettings}`),
  lockout,
  maxSessions: z.int().min(0).max(1024),
  settleMs: z.int().min(0).max(maxWaitMs),
  needsSave: z.boolean(),
  writeBudget: z.int().min(1).max(2_147_483_647).nullable(),
  sideEffects: notes,
};

const snmpModel = z
  .strictObject({
    ...common,
    adapter: z.literal("snmp"),
    secrets: z.strictObject({ authPassword: valueSchema, privPassword: valueSchema }),
    parameters: z.strictObject({
      save: z
        .strictObject({
          oid: z.string().regex(/^[0-2](\.(0|[1-9][0-9]{0,9})){1,64}$/, "dotted decimal object identifier"),
          value: z.int(),
        })
        .nullable(),
      userReset: z.boolean().default(false),
    }),
  })
  .refine((model) => model.needsSave === (model.parameters.save !== null), {
    path: ["needsSave"],
    message: "boolean, allowed: true exactly where parameters.save is given",
  });

const modbusModel = z
  .strictObject({
    ...common,
    adapter: z.literal("modbus"),
    secrets: z.strictObject({ password: valueSchema }),
    recipe: recipeSchema,
  })
  .refine((model) => model.needsSave === model.recipe.save.length > 0, {
    path: ["needsSave"],
    message: "boolean, allowed: true exactly where recipe.save has steps",
  });

const sshModel = z
  .strictObject({
    ...common,
    adapter: z.literal("ssh"),
    secrets: z.strictObject({ password: valueSchema }),
    parameters: sshSchema,
  })
  .refine((model) => model.needsSave === (model.parameters.save !== null), {
    path: ["needsSave"],
    message: "boolean, allowed: true exactly where parameters.save is given",
  })
  .refine((model) => (model.parameters.changedBy === "admin") === Object.hasOwn(model.settings, "admin"), {
    path: ["settings"],
    message: "object, allowed: the setting admin exactly where parameters.changedBy is admin",
  });

/** A whole model; its input is the parsed YAML, its output a {@link DeviceModel}. */
export const modelSchema: z.ZodType<DeviceModel> = z.discriminatedUnion("adapter", [snmpModel, modbusModel, sshModel]);
