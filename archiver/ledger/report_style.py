"""How the report's page looks: on a screen by day and by night, on a narrow one, and on paper. Data.

Text has a contrast of at least 7 to 1 and lines and bars of 3 to 1 against their ground in both schemes (WCAG 2.2,
1.4.6 and 1.4.11; a test computes it from the variables). On paper the answers take one A4 page.
"""

STYLE = """
:root{color-scheme:light dark;--ink:#1c1b19;--soft:#4a4843;--paper:#fffefb;--line:#8a857a;
--bar:#3c6385;--good:#2f6b4f;--stop:#8a4b1f;--fail:#97312f;--wait:#6a5b8f}
@media (prefers-color-scheme:dark){:root{--ink:#ece9e2;--soft:#c3beb3;--paper:#191817;--line:#8d877b;
--bar:#7fa8cc;--good:#79b895;--stop:#d59a6a;--fail:#e08e8a;--wait:#b0a1d8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:58rem;padding:2.5rem 1.5rem 4rem;background:var(--paper);color:var(--ink);
font:1.0625rem/1.5 Charter,"Bitstream Charter","Source Serif 4",Georgia,"DejaVu Serif",serif;hyphens:manual}
h1{margin:0 0 .3rem;font-size:1.85rem;line-height:1.2;font-weight:600;overflow-wrap:anywhere}
h2{margin:2.6rem 0 .6rem;padding-top:.7rem;border-top:2px solid var(--ink);font-size:1.3rem;font-weight:600}
h3{margin:0;font-size:1.0625rem;font-weight:600}
p{margin:.2rem 0 0}
p,li,td,th,caption,figcaption{overflow-wrap:anywhere}
.made{color:var(--soft)}
.sum,table,figcaption,svg text,.sign,.made{font-family:system-ui,"Liberation Sans","DejaVu Sans",sans-serif}
.sum{display:flex;flex-wrap:wrap;align-items:baseline;gap:.3rem 1.1rem;
margin:1.3rem 0 0;padding:.8rem 0;border:solid var(--line);
border-width:1px 0;font-size:1rem}
.sum b{font-size:1.3rem;font-variant-numeric:tabular-nums}
.answers{margin-top:1.2rem}
.answer{display:grid;grid-template-columns:15rem 1fr;gap:0 1.6rem;padding:.75rem 0;border-bottom:1px solid var(--line)}
.answer h3{color:var(--soft)}
.answer p{margin:0}
.sign{display:grid;grid-template-columns:2fr 1fr 2fr;gap:1.5rem;margin-top:2.8rem;color:var(--soft);font-size:.85rem}
.sign span{border-top:1px solid var(--ink);padding-top:.25rem}
figure{margin:1.6rem 0 .8rem}
figcaption,caption{font-weight:600;text-align:left;padding:.2rem 0 .5rem;font-size:1rem}
svg{display:block;width:100%;height:auto}
svg text{font-size:13px;fill:var(--ink)}
.bar{fill:var(--bar)}.s-fetched{fill:var(--good)}.s-refused{fill:var(--stop)}.s-failed{fill:var(--fail)}
.s-pending{fill:var(--wait)}.axis{stroke:var(--line)}
.wide{overflow-x:auto;margin:1.4rem 0}
.wide:focus-visible{outline:3px solid var(--bar);outline-offset:3px}
table{border-collapse:collapse;font-size:.875rem;line-height:1.4;font-variant-numeric:tabular-nums;min-width:60%}
th,td{padding:.35rem .9rem .35rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
min-width:4.5rem;max-width:26rem}
thead th{overflow-wrap:normal;border-bottom:2px solid var(--ink);
font-weight:600;color:var(--soft);vertical-align:bottom}
tbody th{font-weight:400;min-width:13rem}
td.n,th.n{text-align:right;white-space:nowrap}
@media (max-width:44rem){body{padding:1.2rem 1rem 3rem}.answer{grid-template-columns:1fr}
.sign{grid-template-columns:1fr;gap:2.4rem}svg text{font-size:17px}.wide{overflow-x:auto}}
@page{size:A4;margin:12mm 15mm}
@media print{:root{--ink:#000;--soft:#333;--paper:#fff;--line:#777;--bar:#3c6385;--good:#2f6b4f;
--stop:#8a4b1f;--fail:#97312f;--wait:#6a5b8f}
body{max-width:none;padding:0;font-size:9.5pt;line-height:1.28}h1{font-size:15pt}h2{font-size:12pt;margin-top:1.4rem}
h3{font-size:10pt}.first h2{margin-top:.7rem;padding-top:.35rem}
.sum{margin-top:.45rem;padding:.3rem 0;font-size:9pt}.sum b{font-size:11pt}.answers{margin-top:.1rem}
.answer{grid-template-columns:34mm 1fr;gap:0 5mm;padding:1.1mm 0}.sign{margin-top:8mm;font-size:8pt}
.tables{break-before:page}.wide{overflow:visible}
table{font-size:8pt}figcaption,caption{font-size:9pt}th,td,tbody th{min-width:3.4em;padding-right:2mm}
thead{break-after:avoid}figure,tr{break-inside:avoid}
thead{display:table-header-group}figcaption,caption,h2,h3{break-after:avoid}}
"""
