import { setTimeout as delay } from "node:timers/promises";
import { ambiguous, type DeviceCode, notSent, type Outcome, rejectedAuth, rejectedPolicy } from "../contract/index.ts";
import type { ExceptionMeaning, ModbusRecipe, RecipeStep, RecipeValue, RegisterType } from "../models/index.ts";
import { type ConnectionOptions, ModbusConnection, type Reply } from "./modbus-connection.ts";
import { decodeInteger, describeValue, encodeNumber, encodeSecret } from "./registers.ts";

/** Between two looks of an `expect` that asks again: a meter's processor has better things to do. */
const askAgainMs = 250;

type Step<Kind extends RecipeStep["do"]> = Extract<RecipeStep, { do: Kind }>;
type Exceptions = Step<"write">["exceptions"];

export interface RecipeSecrets {
  readonly current: Uint8Array;
  readonly next: Uint8Array | null;
}

/**
 * Carries a recipe's steps out on one connection at a time. It keeps track of whether a login and whether a change has
 * left, as that decides what a missing answer means.
 */
export class RecipeRun {
  readonly #recipe: ModbusRecipe;
  readonly #connectionOptions: ConnectionOptions;
  readonly #named = new Map<string, { readonly registers: readonly number[]; readonly type: RegisterType }>();
  #secrets: RecipeSecrets;
  #connection: ModbusConnection | null = null;
  #inLogin = false;
  #loginSent = false;
  #loginAccepted = false;
  #changeSent = false;

  constructor(recipe: ModbusRecipe, connectionOptions: ConnectionOptions, secrets: RecipeSecrets) {
    this.#recipe = recipe;
    this.#connectionOptions = connectionOptions;
    this.#secrets = secrets;
  }

  /** Runs a list; null where every step went as written, else the outcome that ends the operation. */
  async run(list: "push" | "verify" | "save"): Promise<Outcome | null> {
    return this.#runSteps(this.#recipe[list], list);
  }

  /** Reads what names the device, without a login; the text is empty where the recipe knows no such register. */
  async identify(): Promise<{ readonly identity: string } | Outcome> {
    const stopped = await this.#runSteps(this.#recipe.identify, "identify");
    if (stopped !== null) return stopped;
    const parts: string[] = [];
    for (const step of this.#recipe.identify) {
      const value = step.do === "read" ? this.#named.get(step.as) : undefined;
      if (step.do === "read" && value !== undefined)
        parts.push(`${step.as}=${describeValue(value.registers, value.type, this.#recipe)}`);
    }
    return { identity: parts.join(",") };
  }

  /** Opens a connection where there is none; false where the device does not take one. */
  async connect(): Promise<boolean> {
    if (this.#connection?.open === true) return true;
    this.#connection = await ModbusConnection.open(this.#connectionOptions);
    return this.#connection !== null;
  }

  close(): void {
    this.#connection?.close();
  }

  async #runSteps(steps: readonly RecipeStep[], list: string): Promise<Outcome | null> {
    for (const [index, step] of steps.entries()) {
      const stopped = await this.#runStep(step, `${list} step ${index + 1}`);
      if (stopped !== null) return stopped;
    }
    return null;
  }

  async #runStep(step: RecipeStep, at: string): Promise<Outcome | null> {
    switch (step.do) {
      case "unlock":
        return this.#unlock(step, at);
      case "write":
        return this.#write(step, at);
      case "coil":
        return this.#judge(await this.#ask((connection) => connection.writeCoil(step.address, step.on)), step.exceptions, at);
      case "read":
        return this.#read(step, at);
      case "expect":
        return this.#expect(step, at);
      case "wait":
        await delay(step.ms);
        return null;
    }
  }

  async #unlock(step: Step<"unlock">, at: string): Promise<Outcome | null> {
    const all = this.#secrets;
    const secret = step.secret === "next" ? all.next : all.current;
    if (secret === null) return notSent("DEVICE_VALUE_UNFIT", `${at}: no new secret`);
    this.#secrets = { current: secret, next: null };
    this.#inLogin = true;
    const stopped = await this.#runSteps(this.#recipe.unlock, `${at}, unlock`);
    this.#inLogin = false;
    this.#secrets = all;
    this.#loginAccepted = stopped === null;
    return stopped;
  }

  async #write(step: Step<"write">, at: string): Promise<Outcome | null> {
    const registers = this.#registersOf(step.value, step.type);
    if (registers === null) return this.#stop("DEVICE_VALUE_UNFIT", `${at}: the value does not fit its register`);
    const secret = "secret" in step.value ? step.value.secret : null;
    if (!(await this.connect())) return step.replyMayBeLost ? null : this.#stop("DEVICE_UNREACHABLE", `${at}: no connection`);
    const reply = await this.#ask((connection) => connection.writeRegisters(step.address, registers, step.functionCode));
    const meaning = meaningOf(reply, step.exceptions);
    // Refused for now means that the device has not looked at the secret.
    if (this.#inLogin && secret === "current" && meaning !== "BUSY") this.#loginSent = true;
    // A refusal that the recipe knows says that this very write did nothing.
    if (secret === "next" && (meaning === null || meaning === "CONTINUE")) this.#changeSent = true;
    if (reply.kind === "lost" && step.replyMayBeLost) return null;
    return this.#judge(reply, step.exceptions, at);
  }

  async #read(step: Step<"read">, at: string): Promise<Outcome | null> {
    const reply = await this.#ask((connection) => connection.readRegisters(step.address, step.type.registers));
    if (reply.kind !== "registers") return this.#judge(reply, step.exceptions, at);
    this.#named.set(step.as, { registers: reply.registers, type: step.type });
    return null;
  }

  async #expect(step: Step<"expect">, at: string): Promise<Outcome | null> {
    const wanted = this.#registersOf(step.equals, step.type);
    // What the register cannot hold, the device does not have.
    if (wanted === null) return this.#mismatch(step.otherwise, at);
    const until = performance.now() + step.withinMs;
    for (;;) {
      const reply = await this.#ask((connection) => connection.readRegisters(step.address, step.type.registers));
      if (reply.kind === "registers" && this.#matches(reply.registers, wanted, step)) return null;
      if (performance.now() + askAgainMs < until) {
        await delay(askAgainMs);
        continue;
      }
      return reply.kind === "registers" ? this.#mismatch(step.otherwise, at) : this.#judge(reply, step.exceptions, at);
    }
  }

  #matches(registers: readonly number[], wanted: readonly number[], step: Step<"expect">): boolean {
    if (step.mask === null) return registers.every((register, index) => register === wanted[index]);
    const value = (list: readonly number[]) => BigInt(decodeInteger(list, step.type, this.#recipe)) & BigInt(step.mask ?? 0);
    return value(registers) === value(wanted);
  }

  async #ask(request: (connection: ModbusConnection) => Promise<Reply>): Promise<Reply> {
    if (!(await this.connect()) || this.#connection === null) return { kind: "lost" };
    return request(this.#connection);
  }

  #judge(reply: Reply, exceptions: Exceptions, at: string): Outcome | null {
    if (reply.kind === "lost")
      return this.#stop(this.#changeSent ? "DEVICE_REPLY_LOST" : "DEVICE_NO_ANSWER", `${at}: no answer`);
    if (reply.kind !== "exception") return null;
    const meaning = meaningOf(reply, exceptions);
    if (meaning === "CONTINUE") return null;
    const detail = `${at}: exception ${reply.code}`;
    return meaning === null ? this.#stop("MODBUS_EXCEPTION", detail) : this.#refusal(meaning, detail);
  }

  #mismatch(otherwise: Step<"expect">["otherwise"], at: string): Outcome {
    const detail = `${at}: another value than expected`;
    return otherwise === "AMBIGUOUS" ? this.#stop("DEVICE_ANSWER_UNEXPECTED", detail) : this.#refusal(otherwise, detail);
  }

  #refusal(meaning: Exclude<ExceptionMeaning, "CONTINUE">, detail: string): Outcome {
    if (meaning === "BUSY") return this.#stop("DEVICE_BUSY", detail);
    if (this.#changeSent) return this.#stop("DEVICE_ANSWER_UNEXPECTED", detail);
    if (meaning === "REJECTED_POLICY") return rejectedPolicy("DEVICE_VALUE_REFUSED", detail);
    return rejectedAuth("DEVICE_SECRET_REFUSED", detail, { spent: this.#loginSent });
  }

  /** Ends the operation without a definite answer: NOT_SENT only where neither a login nor a change has left. */
  #stop(code: DeviceCode, detail: string): Outcome {
    if (!this.#loginSent && !this.#changeSent) return notSent(code, detail);
    return ambiguous(code, detail, { spent: !this.#loginAccepted });
  }

  #registersOf(value: RecipeValue, type: RegisterType): readonly number[] | null {
    if ("number" in value) return encodeNumber(value.number, type, this.#recipe);
    if ("named" in value) return this.#named.get(value.named)?.registers ?? null;
    const secret = this.#secrets[value.secret];
    return secret === null ? null : encodeSecret(secret, type, this.#recipe);
  }
}

function meaningOf(reply: Reply, exceptions: Exceptions): ExceptionMeaning | null {
  return reply.kind === "exception" ? (exceptions[String(reply.code)] ?? null) : null;
}
