/** The page's looks: by day and night as the reader's machine has it, and black on white on paper. */
export const summaryStyle = `
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #5a636d; --line: #d8dde2; --paper: #fff; --raised: #f4f6f8;
  --good: #19692c; --warn: #8a5300; --warn-back: #fff4dc; --bad: #a3170b; --bad-back: #fdecea }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa5b0; --line: #353c44; --paper: #14171a; --raised: #1d2227;
  --good: #7fd18f; --warn: #f0b858; --warn-back: #33270f; --bad: #ff9c8f; --bad-back: #3a1a17 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; margin: 0 auto; padding: 2rem; max-width: 84rem;
  color: var(--ink); background: var(--paper) }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
p { margin: .5rem 0; max-width: 60rem } a { color: inherit }
small, .soft { color: var(--soft); font-size: .85em } .n { font-variant-numeric: tabular-nums; white-space: nowrap }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
bdi { overflow-wrap: anywhere }
.note { max-width: none; border: 1px solid var(--line); border-left: .3rem solid var(--warn); background: var(--raised); padding: .6rem .9rem; margin: 1.2rem 0 }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: .7rem; margin: 1.2rem 0; padding: 0; list-style: none }
.tiles li { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; background: var(--raised) }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums }
.tiles .bad b { color: var(--bad) } .tiles .warn b { color: var(--warn) } .tiles .good b { color: var(--good) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 1rem 0 } dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% } caption { text-align: left; color: var(--soft); padding: 0 0 .4rem }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem; border-bottom: 1px solid var(--line) }
thead th { background: var(--raised); position: sticky; top: 0; font-size: .85rem }
tbody th { font-weight: 600 } td.r, th.r { text-align: right } td ul { margin: 0; padding-left: 1.1rem }
tr.device th { background: var(--raised); padding-top: .7rem; overflow-wrap: anywhere }
.badge { display: inline-block; border: 1px solid; border-radius: 1rem; padding: 0 .55rem; font-size: .8rem; font-weight: 600; white-space: nowrap }
.badge.good { color: var(--good) } .badge.warn { color: var(--warn); background: var(--warn-back) }
.badge.bad { color: var(--bad); background: var(--bad-back) }
@media screen and (max-width: 50rem) { body { padding: 1rem } dl { grid-template-columns: 1fr } dt { margin-top: .4rem } .tiles { grid-template-columns: 1fr 1fr } .wide { overflow-x: auto } }
@page { margin: 14mm }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --raised: #fff;
  --good: #000; --warn: #000; --warn-back: #fff; --bad: #000; --bad-back: #fff }
  body { padding: 0; max-width: none; font-size: 9.5pt } .n { white-space: normal } thead th { font-size: 9pt } thead { display: table-header-group } thead th { position: static; border-bottom: 1.5pt solid #000 }
  tr, .tiles li, .note { break-inside: avoid } tr.device { break-after: avoid } h2 { break-after: avoid } a { text-decoration: none } }
`;
