import { hash } from "node:crypto";
import { Socket } from "node:net";
import t from "tap";
import { type Application, ApplicationTable } from "../../agent/local-api/applications.ts";
import { ConnectionTokens } from "../../agent/local-api/connection-tokens.ts";
import { apiLimits } from "../../agent/local-api/limits.ts";

/** Counts how often a token was hashed and looked up. */
class CountedTable extends ApplicationTable {
  lookups = 0;

  override authenticate(token: string): Application | null {
    this.lookups += 1;
    return super.authenticate(token);
  }
}

function table(...tokens: readonly string[]): CountedTable {
  const records = tokens.map((token, i) => ({
    id: String(i).padStart(32, "0"),
    name: token,
    tokenHash: hash("sha256", token, "buffer"),
    grants: [],
    leases: [],
    person: false,
  }));
  return new CountedTable(records);
}

t.test("a connection's token is looked up once, every other one is looked up as it comes", async (t) => {
  const known = table("historian", "hystorian", "other");
  const tokens = new ConnectionTokens();
  const [first, second] = [new Socket(), new Socket()];
  const steps: [connection: Socket, token: string, name: string | null, lookups: number][] = [
    [first, "historian", "historian", 1],
    [first, "historian", "historian", 1],
    [second, "historian", "historian", 2],
    [first, "hystorian", "hystorian", 3],
    [first, "historian", "historian", 4],
    [first, "historiax", null, 5],
    [first, "historia", null, 6],
    [first, "historiann", null, 7],
    [first, "", null, 8],
    [first, "historian", "historian", 8],
  ];
  for (const [connection, token, name, lookups] of steps) {
    t.equal(tokens.authenticate(connection, token, known)?.name ?? null, name, token);
    t.equal(known.lookups, lookups);
  }
});

t.test("a new table of applications decides anew, on connections that are open too", async (t) => {
  const tokens = new ConnectionTokens();
  const connection = new Socket();
  t.equal(tokens.authenticate(connection, "historian", table("historian"))?.name, "historian");
  t.equal(tokens.authenticate(connection, "historian", table("other")), null);
  t.equal(tokens.authenticate(connection, "other", table("other"))?.name, "other");
});

t.test("one listener a connection, whatever it shows; a token longer than ours is not kept", async (t) => {
  const long = "x".repeat(apiLimits.rememberedTokenBytes + 1);
  const tokens = new ConnectionTokens();
  const connection = new Socket();
  for (let i = 0; i < 20; i += 1) tokens.authenticate(connection, "historian", table("historian"));
  t.equal(connection.listenerCount("close"), 1);
  const known = table(long, long.slice(1));
  for (const token of [long, long]) tokens.authenticate(connection, token, known);
  t.equal(known.lookups, 2);
  for (const token of [long.slice(1), long.slice(1)]) tokens.authenticate(connection, token, known);
  t.equal(known.lookups, 3);
});
