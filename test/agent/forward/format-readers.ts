/** RFC 5424 section 6, read by its grammar. */
export function parseSyslog(message: string) {
  const match =
    /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (-|(?:\[(?:[^"\\\]]|"(?:[^"\\\]]|\\["\\\]])*")*\])+)(?: (.*))?$/s.exec(
      message,
    );
  if (match === null) throw new Error(`no RFC 5424 message: ${message}`);
  const [, pri = "", time, host, app, procid, msgid, data = "", text = ""] = match;
  const elements = new Map<string, Map<string, string>>();
  for (const [, id = "", params = ""] of data.matchAll(
    /\[([^\s="\]]{1,32})((?: [^\s="\]]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]/g,
  )) {
    const pairs = [...params.matchAll(/ ([^=]+)="((?:[^"\\\]]|\\["\\\]])*)"/g)];
    elements.set(id, new Map(pairs.map(([, name = "", value = ""]) => [name, value.replace(/\\(["\\\]])/g, "$1")])));
  }
  return { pri: Number(pri), time, host, app, procid, msgid, elements, text };
}

/** The seven fields of the header, and the extension's pairs. */
export function parseCef(message: string) {
  const fields: string[] = [];
  let rest = message;
  while (fields.length < 7) {
    const [whole = "", field = ""] = /^((?:[^\\|]|\\[\\|])*)\|/.exec(rest) ?? [];
    if (whole === "") throw new Error(`no CEF header: ${message}`);
    fields.push(field.replace(/\\([\\|])/g, "$1"));
    rest = rest.slice(whole.length);
  }
  const pairs = [...rest.matchAll(/(?:^| )([A-Za-z0-9]+)=((?:[^\\=]|\\[\\=nr])*?)(?= [A-Za-z0-9]+=|$)/g)];
  const plain = (value: string) => value.replace(/\\([\\=nr])/g, (_, kind: string) => ({ n: "\n", r: "\r" })[kind] ?? kind);
  return { fields, extension: new Map(pairs.map(([, key = "", value = ""]) => [key, plain(value)])) };
}

/** What no event may hold as it is. */
export const unsafe = /[\p{Cc}\u2028\u202e]/u;

/** As the events spell it; where a format has its own spelling of lines' ends, without those. */
export function visible(text: string, ends: "spelt" | "kept" = "spelt"): string {
  const units = [...text].map((unit) =>
    unsafe.test(unit) && !(ends === "kept" && /[\n\r]/.test(unit))
      ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
      : unit,
  );
  return units.join("");
}

/** What OCSF 1.2.0 requires of each class that we use, beside the base event, and which activities it knows. */
export const ocsfRequired: Readonly<Record<number, { fields: string[]; activities: number[] }>> = {
  0: { fields: [], activities: [] },
  2004: { fields: ["finding_info.title", "finding_info.uid"], activities: [1, 2, 3] },
  3001: { fields: ["user.name"], activities: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
  3002: { fields: ["user.name", "service.name"], activities: [1, 2, 3, 4, 5, 6] },
  3004: { fields: ["entity.name"], activities: [1, 2, 3, 4] },
  3005: { fields: ["user.name", "privileges.0"], activities: [1, 2] },
  6002: { fields: ["app.name", "app.vendor_name"], activities: [1, 2, 3, 4] },
  6003: { fields: ["actor", "api.operation", "src_endpoint.name"], activities: [1, 2, 3, 4] },
};
