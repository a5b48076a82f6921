import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

/** What the kernel writes where nobody has logged in. */
const noLogin = 4_294_967_295;

/** Who sits here: the user who logged in, also behind `sudo`; else the one whose process this is. */
export function loginName(): string {
  const uid = loginUid();
  if (uid === null || uid === process.getuid?.()) {
    const { username, uid: own } = userInfo();
    return `${username} (uid ${own})`;
  }
  return `${nameOf(uid) ?? "user"} (uid ${uid})`;
}

function loginUid(): number | null {
  try {
    const uid = Number(readFileSync("/proc/self/loginuid", "latin1"));
    return Number.isSafeInteger(uid) && uid !== noLogin ? uid : null;
  } catch {
    return null;
  }
}

function nameOf(uid: number): string | null {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((each) => each.split(":")[2] === String(uid));
    return line?.split(":")[0] ?? null;
  } catch {
    return null;
  }
}
