import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

const rule = "-".repeat(100);

/** Name, version and licence text of each package whose folder is given. Throws for a package whose licence is not known. */
export function thirdPartyNotices(folders: readonly string[]): string {
  const notices = folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    return { title: `${manifest.name} ${manifest.version} (${manifest.license})`, text: licenceText(folder, manifest) };
  });
  const unique = new Map(notices.map(({ title, text }) => [title, text]));
  const parts = [...unique].sort().map(([title, text]) => `${rule}\n${title}\n${rule}\n\n${text.trim()}\n`);
  return `Tidegate carries the code of these packages in dist/.\n\n${parts.join("\n")}`;
}

function licenceText(folder: string, manifest: Manifest): string {
  const files = readdirSync(folder).filter((name) => /^(un)?licen[cs]e|^copying|^notice/i.test(name));
  if (files.length > 0) return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  // Some small packages only name the MIT licence in their manifest.
  const { name, license, author } = manifest;
  if (license === "MIT") return mitText(typeof author === "string" ? author : (author?.name ?? `the authors of ${name}`));
  throw new Error(`${name}: no licence text in ${folder}`);
}

function mitText(holder: string): string {
  return `Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH
THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
}
