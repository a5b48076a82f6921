import type { Transaction } from "../../agent/store/index.ts";
import type { Outcome } from "../../firmware-adapters/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { type Account, nameOf } from "./account.ts";
import type { Books } from "./commit.ts";
import type { Devices } from "./devices.ts";
import { encodeIdentity, tables } from "./record.ts";

/** What an answer says about who the device is, to be recorded with it. */
interface IdentityNews {
  write(tx: Transaction, books: Books): readonly Fact[];
}

/** The first proof pins the device's identity; another identity later is an alarm, once. Null where the answer brings no news. */
export function identityFound(account: Account, outcome: Outcome, devices: Devices): IdentityNews | null {
  const { device } = account;
  if (device === null) return null;
  if (outcome.code === "DEVICE_IDENTITY_CHANGED") return account.identityChanged ? null : changed(account);
  if (outcome.kind !== "OK" || devices.pinned(device) !== null) return null;
  const { identity } = outcome;
  return {
    write(tx, books) {
      tx.put(tables.device, device.id, encodeIdentity(identity));
      books.audit.appendAll(tx, [
        {
          action: "device.identify",
          actor: { kind: "node", id: books.self },
          subject: { kind: "device", id: `${device.content.zone}/${device.content.name}` },
          outcome: "ok",
          details: identity === null ? {} : { identity },
        },
      ]);
      return identity === null ? [] : [encodeFact({ kind: "identity", deviceId: device.id, identity })];
    },
  };
}

function changed(account: Account): IdentityNews {
  return {
    write(tx, books) {
      books.audit.appendAll(tx, [
        {
          action: "alarm.raise",
          actor: { kind: "node", id: books.self },
          subject: { kind: "account", id: nameOf(account) },
          outcome: "failed",
          code: "DEVICE_IDENTITY_CHANGED",
          details: { reason: "DEVICE_IDENTITY_CHANGED" },
        },
      ]);
      return [encodeFact({ kind: "alarm", code: "DEVICE_IDENTITY_CHANGED", subject: nameOf(account), at: books.time() })];
    },
  };
}
