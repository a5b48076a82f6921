/** Exception codes of Modbus that a meter answers with. */
export const illegalAddress = 2;
const illegalValue = 3;
const deviceFailure = 4;

/** What a meter does with one write: an exception code or 0, and whether it restarts after its answer. */
export interface MeterWrite {
  readonly exception: number;
  readonly restarts: boolean;
}

/** A meter's registers and rules; its non-volatile memory is what `keep` writes and a new meter starts from. */
export interface Meter {
  readRegister(address: number): number;
  writeRegisters(address: number, values: readonly number[]): MeterWrite;
}

export const meterKinds = ["eastron-sdm", "eig-shark"] as const;
export type MeterKind = (typeof meterKinds)[number];

/** A meter of `kind` as it is after power-on with `password` in its memory. */
export function powerOn(kind: MeterKind, password: number, keep: (password: number) => void): Meter {
  return kind === "eastron-sdm" ? eastron(password, keep) : shark(password, keep);
}

const done: MeterWrite = { exception: 0, restarts: false };

function refused(exception: number): MeterWrite {
  return { exception, restarts: false };
}

/** Eastron SDM72D-M, user manual V1.1 page 15: password 0x0018 and programming authorisation (KPPA) 0x000E, both floats. */
function eastron(initial: number, keep: (password: number) => void): Meter {
  const authorisation = 0x000e;
  const passwordRegister = 0x0018;
  let password = initial;
  let authorised = false;
  return {
    readRegister(address) {
      if (address === authorisation || address === authorisation + 1)
        return floatRegister(authorised ? 1 : 0, address - authorisation);
      if (address === passwordRegister || address === passwordRegister + 1)
        return floatRegister(password, address - passwordRegister);
      return 0;
    },
    writeRegisters(address, values) {
      if (values.length !== 2) return refused(illegalAddress);
      const value = floatOf(values);
      if (address === authorisation) {
        authorised = value === password;
        return done;
      }
      if (address !== passwordRegister) return refused(illegalAddress);
      if (!authorised) return refused(deviceFailure);
      if (!(value >= 1 && value <= 9999)) return refused(illegalValue);
      password = value;
      keep(value);
      return done;
    },
  };
}

/** EIG Shark 100B, Modbus map page 164: update mode, a copy in RAM, the checksum write that saves, and the restart. */
function shark(stored: number, keep: (password: number) => void): Meter {
  const serial = "0000000031337002";
  const register = {
    serial: 0x0008,
    status: 0x1387,
    initiate: 0x55ef,
    terminate: 0x55f0,
    calculate: 0x55f1,
    checksum: 0x55f2,
    password: 0x55f3,
  };
  let password = stored;
  let updating = false;
  const checksum = () => (password * 7 + 0x1234) & 0xffff;
  return {
    readRegister(address) {
      const place = address - register.serial;
      if (place >= 0 && place < serial.length / 2)
        return (serial.charCodeAt(2 * place) << 8) | serial.charCodeAt(2 * place + 1);
      if (address === register.status) return 0x3f00 | (updating ? 12 : 1);
      return address === register.calculate && updating ? checksum() : 0;
    },
    writeRegisters(address, [value = 0, ...more]) {
      if (more.length > 0) return refused(illegalAddress);
      if (address === register.initiate && !updating) {
        // A wrong password gets the same answer; only the status tells.
        updating = value === password;
        return done;
      }
      if (!updating) return refused(illegalAddress);
      if (address === register.terminate) return { exception: 0, restarts: true };
      if (address === register.password) {
        if (value > 9999) return refused(illegalValue);
        password = value;
        return done;
      }
      if (address !== register.checksum) return refused(illegalAddress);
      if (value !== checksum()) return { exception: deviceFailure, restarts: true };
      keep(password);
      return done;
    },
  };
}

function floatRegister(value: number, which: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint16(2 * which);
}

function floatOf(values: readonly number[]): number {
  const view = new DataView(new ArrayBuffer(4));
  values.forEach((value, index) => {
    view.setUint16(2 * index, value);
  });
  return view.getFloat32(0);
}
