// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <string_view>

namespace pareidolia::detail {

/// A face where there is none: the library's mark, in the colour of the text around it.
inline constexpr std::string_view report_mark =
    R"(<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><rect x="1.5" y="1.5" width="21" height="21" rx="6" fill="none" )"
    R"(stroke="currentColor" stroke-width="1.6"/><g fill="currentColor"><rect x="7" y="6.5" width="2" height="5" rx="1"/>)"
    R"(<rect x="15" y="6.5" width="2" height="5" rx="1"/><circle cx="12" cy="16.2" r="2.1"/></g></svg>)";

/// Light and dark, wide and narrow, screen and paper.
inline constexpr std::string_view report_style = R"css(
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1c1b19;--soft:#6b665e;--line:#e6e2d9;--accent:#b23f26;--band:rgb(178 63 38/.12);
--s0:#b23f26;--s1:#1f6fa8;--s2:#a87600;--s3:#2e7d57;--s4:#7a4fb0;--s5:#77716a}
@media(prefers-color-scheme:dark){:root{--paper:#141416;--card:#1c1c1f;--ink:#ebe9e4;--soft:#9a958c;--line:#2e2e32;--accent:#f2906f;
--band:rgb(242 144 111/.14);--s0:#f2906f;--s1:#6db8ee;--s2:#e3b94a;--s3:#78cf9f;--s4:#bd9df0;--s5:#a8a298}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:3.5rem 1.5rem 3rem;max-width:63rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
h1,h2,.number{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,"Noto Serif","DejaVu Serif",serif;font-weight:500;
letter-spacing:-.01em;overflow-wrap:anywhere}
h1{font-size:clamp(2rem,6vw,3.1rem);line-height:1.1;margin:.5rem 0 .9rem}
h2{font-size:1.75rem;line-height:1.2;margin:0 0 .4rem}
h3{font-size:.95rem;font-weight:600;margin:2.6rem 0 .2rem}
a{color:inherit;text-decoration-color:var(--line);text-underline-offset:.2em}
a:hover{text-decoration-color:var(--accent)}
.brand{display:flex;align-items:center;gap:.55rem;color:var(--accent);font-size:.88rem;font-weight:600;letter-spacing:.02em;margin:0}
.brand span{color:var(--soft);font-weight:400}
.mark{width:1.5rem;height:1.5rem}
.lede{font-size:1.15rem;max-width:44rem;color:var(--soft);margin:0;white-space:pre-line;overflow-wrap:anywhere}
.note{color:var(--soft);font-size:.88rem;max-width:44rem;margin:0 0 .9rem}
nav{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;margin-top:1.6rem;font-size:.95rem}
section{margin-top:3.5rem;padding-top:2.2rem;border-top:1px solid var(--line)}
.stopped{border-left:3px solid var(--accent);background:var(--band);padding:.7rem 1rem;border-radius:0 .4rem .4rem 0;margin:1rem 0 0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1.2rem 1.5rem;margin:1.4rem 0 2rem}
.facts div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
.facts dt{color:var(--soft);font-size:.86rem;line-height:1.35}
.facts dd{margin:0}
.number{font-size:1.6rem;line-height:1.25;white-space:nowrap}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(9.75rem,29%),1fr));gap:1.3rem 1rem}
.sheet figure{margin:0;min-width:0;break-inside:avoid}
.sheet img{display:block;width:100%;height:auto;border-radius:.45rem;background:var(--card);box-shadow:0 0 0 1px var(--line)}
.triples{grid-template-columns:repeat(auto-fill,minmax(min(24rem,100%),1fr))}.triples figure{display:grid;grid-template-columns:repeat(3,1fr);gap:.3rem}.triples figcaption{grid-column:1/-1}
.pixels img{image-rendering:pixelated}
.gallery{grid-template-columns:repeat(auto-fill,minmax(min(13rem,44%),1fr));margin-top:1.4rem}
.sheet.strips{grid-template-columns:1fr}
.strips img{border-radius:.2rem}
.gallery .pixels img{image-rendering:pixelated}
.sheet figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 .5rem;margin-top:.45rem;font-size:.9rem;line-height:1.35}
.sheet b{font-weight:600;overflow-wrap:anywhere}
.sheet .p{color:var(--soft)}
.sheet small{flex-basis:100%;color:var(--soft);overflow-wrap:anywhere}
.scale{position:relative;display:flex;justify-content:space-between;gap:.5rem;margin-top:.5rem;font-size:.8rem;line-height:1.4;color:var(--soft);flex-wrap:wrap;row-gap:.25rem}
.scale i{flex:0 0 100%;height:.5rem;border-radius:.25rem;box-shadow:0 0 0 1px var(--line)}
.scale .zero{position:absolute;top:.75rem;transform:translateX(-50%)}
.missed img{opacity:.45}
.missed small{color:var(--accent)}
.chart{padding:.8rem 4rem 0 4.6rem;break-inside:avoid}
.plot{position:relative;height:17rem}
.plot svg,.spark svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible}
.plot .y{position:absolute;left:0;right:0;border-bottom:1px solid var(--line)}
.plot .y b{position:absolute;right:100%;top:-.7em;padding-right:.6rem;line-height:1.4}
.plot .x{position:absolute;top:100%;transform:translateX(-50%);padding-top:.35rem}
.plot .end{position:absolute;left:100%;transform:translateY(50%);padding-left:.5rem;line-height:1.2}
.plot .x,.plot b,.plot .end,.axis{font-size:.8rem;font-weight:400;color:var(--soft)}
.plot .end.median{color:var(--accent);font-weight:600}
.axis{text-align:center;margin:1.7rem 0 0}
polyline{fill:none;stroke:var(--accent);stroke-width:1;vector-effect:non-scaling-stroke;stroke-linejoin:round;opacity:.55}
polyline.median{stroke-width:2.2;opacity:1}
polygon{fill:var(--band)}
.s0{--c:var(--s0)}.s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}.s5{--c:var(--s5)}
polyline.line{stroke:var(--c);stroke-width:2;stroke-linecap:round;opacity:1}
polyline.dot{stroke-width:8}
polyline.dashed{stroke-dasharray:6 5}
polyline.outline{stroke-width:1.4;stroke-linejoin:miter}
path.dots{fill:none;stroke:var(--c);stroke-width:7;stroke-linecap:round;vector-effect:non-scaling-stroke}
path.whiskers{fill:none;stroke:var(--c);stroke-width:1.4;vector-effect:non-scaling-stroke}
polyline.reference{stroke:var(--soft);stroke-width:1.4;opacity:.9;stroke-dasharray:5 4}
polyline.r1{stroke-dasharray:1.5 3}
polyline.r2{stroke-dasharray:8 3 1.5 3}
.lines polygon{fill:var(--c);opacity:.15}
polygon.bars{fill:var(--c)}
.lines polygon.bars,.legend polygon.bars{opacity:.28}
.lines{padding-right:1rem}
.square .plot{height:auto;aspect-ratio:1;max-width:26rem}
.square .plot+.axis{max-width:26rem}
.plot .small{border-color:var(--soft)}
.plot .y.small{right:auto;width:.35rem;opacity:.55}
.plot .x.small{padding:0;top:auto;bottom:0;height:.35rem;border-left:1px solid var(--soft);opacity:.55}
.plot sup{font-size:.72em;line-height:0}
.axis.of-y{text-align:left;margin:0 0 .7rem -4rem}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;margin:1.2rem 0 .6rem;padding:0;font-size:.88rem}
.legend li{display:flex;align-items:center;gap:.5rem;overflow-wrap:anywhere}
.legend svg{width:1.5rem;height:.8rem;flex:none;overflow:visible}
.sparks{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(13rem,100%),1fr));gap:1.5rem;margin-top:1.6rem}
.spark{margin:0;position:relative;break-inside:avoid}
.spark figcaption{font-size:.86rem;color:var(--soft);padding-bottom:.3rem}
.spark b{color:var(--ink);font-weight:600}
.spark small{float:right}
.spark svg{position:static;display:block;height:3.2rem;border-bottom:1px solid var(--line)}
.spark polyline.median{stroke-width:1.4}
details{margin-top:2.2rem}
summary{cursor:pointer;font-size:.95rem;font-weight:600}
.wide{overflow-x:auto}
.wide+.pairs{margin-top:1.6rem}
table{border-collapse:collapse;font-size:.88rem;margin-top:.9rem;width:100%}
th,td{text-align:left;padding:.38rem 1.1rem .38rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:500;color:var(--soft)}
.pairs tbody th{width:14rem}
.pairs thead th{color:var(--ink);font-weight:600}
.pairs td{overflow-wrap:anywhere}
.all td,.all th{white-space:nowrap}
.all thead th{white-space:normal;vertical-align:bottom}
.all .n{text-align:right}
.prose td{padding-right:1.6rem}
.prose td:last-child{white-space:nowrap}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{margin-top:3.5rem;padding-top:1.2rem;border-top:1px solid var(--line);color:var(--soft);font-size:.86rem}
@media(max-width:40rem){body{padding:2rem 1.1rem}section{margin-top:2.6rem;padding-top:1.8rem}.sheet{gap:1rem .7rem}.sheet figcaption{font-size:.8rem}
.plot{height:13.5rem}.chart{padding:.8rem 3.3rem 0 3.9rem}.plot .x,.plot b,.plot .end,.axis{font-size:.72rem}.pairs tbody th{width:8.5rem}
.facts{grid-template-columns:repeat(2,1fr);gap:1rem}.number{font-size:1.35rem}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#555;--line:#ddd;--accent:#a33a22;--band:rgb(178 63 38/.12);
--s0:#a33a22;--s1:#1f6fa8;--s2:#a87600;--s3:#2e7d57;--s4:#7a4fb0;--s5:#77716a}
body{padding:0;max-width:none;font-size:10.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav{display:none}section{margin:0;padding:0;border:0;break-before:page}header+section{break-before:auto;margin-top:1.5rem}
h2,h3,.note{break-after:avoid}.sheet,.facts{grid-template-columns:repeat(5,1fr)}.facts{break-inside:avoid}details{display:none}}
)css";

}  // namespace pareidolia::detail
