/** Style of the HTML report; light and dark. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f7f8fa;--card:#fff;--ink:#16202c;--soft:#5b6878;--line:#e3e7ed;--grid:#e9edf2;
--c1:#2464c8;--c2:#c2410c;--c3:#8a94a6;--c4:#a16207;--ok:#157f46;--no:#b91c1c;--warn:#a15c00}
@media(prefers-color-scheme:dark){:root{--bg:#10151c;--card:#18202a;--ink:#e8edf4;--soft:#98a5b5;--line:#293442;--grid:#232d39;
--c1:#6ea8ff;--c2:#ff9b63;--c3:#8b97a9;--c4:#e2b64a;--ok:#4cc38a;--no:#ff7b7b;--warn:#e9b04f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1220px;padding:36px 24px 60px;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif;
font-variant-numeric:tabular-nums}
.kicker{margin:0;color:var(--soft);font-size:13px;letter-spacing:.02em}
h1{margin:4px 0 6px;font-size:27px;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
h2{margin:34px 0 10px;font-size:17px}
.where{margin:0 0 22px;color:var(--soft)}
.verdict{display:flex;gap:14px;align-items:baseline;padding:14px 18px;border-radius:10px;border-left:5px solid;background:var(--card)}
.verdict>b{font-size:19px}.verdict span{color:var(--soft)}
.passed{border-color:var(--ok)}.passed>b{color:var(--ok)}
.failed{border-color:var(--no)}.failed>b{color:var(--no)}
.invalid{border-color:var(--warn)}.invalid>b{color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:14px;margin:14px 0}
.tiles div,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 18px}
.tiles span{display:block;color:var(--soft);font-size:13px}.tiles b{display:block;font-size:28px;line-height:1.3;letter-spacing:-.02em}
.tiles small{color:var(--soft)}
.facts{display:flex;flex-wrap:wrap;gap:6px 20px;margin:0 2px 18px;color:var(--soft);font-size:14px}.facts b{color:var(--ink)}
section{overflow-x:auto}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(520px,100%),1fr));gap:14px}
figure{margin:0}figcaption{display:flex;gap:10px;align-items:baseline;margin-bottom:8px}figcaption small{color:var(--soft)}
svg{display:block;width:100%;height:auto}.grid{stroke:var(--grid)}.tick{fill:var(--soft);font-size:11px}
.bar-name,.bar-value{fill:var(--ink);font-size:13px}.bar-value{fill:var(--soft)}
.hover{fill:transparent}.hover:hover{fill:var(--soft);opacity:.12}
.legend{display:flex;gap:16px;min-height:18px;margin-top:4px;color:var(--soft);font-size:12px}
.legend i{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden;font-size:14px}
th,td{padding:7px 14px;border-top:1px solid var(--line);text-align:left;vertical-align:top}thead th{border:0;color:var(--soft);font-weight:500}
tbody tr:first-child td{border-top:0}thead+tbody tr:first-child td{border-top:1px solid var(--line)}
td:last-child{color:var(--soft)}.ok{color:var(--ok);width:34px}.no{color:var(--no);width:34px;font-weight:700}
code{font:13px ui-monospace,monospace}
`;
