import { chromium } from "@playwright/test";
import { Stack } from "../e2e/stack.js";
import { browserArguments, executablePath } from "../e2e/kit.js";
import { mkdtempSync, writeFileSync, cpSync, readFileSync, rmSync } from "node:fs";
const shop = mkdtempSync("/tmp/bshop-");
cpSync(new URL("shop", import.meta.url), shop, {recursive:true});
const plain = readFileSync(shop+"/plain.html","utf8");
const stack = await Stack.start({ shop });
const served = await (await fetch(stack.shop+"/k/kit.js")).text();
const config = served.match(/\(window,document,(\{.*\})\)/)[1];
const source = readFileSync("/tmp/kit-built.js","utf8").replaceAll("BESIDE","false").replaceAll(/__KIT__\)/g, config+")");
writeFileSync(shop+"/kitsrc.js", source);
writeFileSync(shop+"/kit.html", plain.replace("<!-- kit -->", '<script src="/kitsrc.js"></script>'));
const browser = await chromium.launch({ executablePath, args: browserArguments });
const rate = Number(process.argv[2]||1), n = Number(process.argv[3]||15);
const lines = new Map(), funcs = new Map(); let total=0;
for (let i=0;i<n;i++) {
  const ctx = await browser.newContext();
  const page = await ctx.newPage();
  const cdp = await ctx.newCDPSession(page);
  await page.goto(stack.shop+"/plain.html");
  await cdp.send("Emulation.setCPUThrottlingRate", { rate });
  await cdp.send("Profiler.enable");
  await cdp.send("Profiler.setSamplingInterval",{interval:100});
  await cdp.send("Profiler.start");
  await page.goto(stack.shop+"/kit.html");
  await page.waitForTimeout(2500);
  const { profile } = await cdp.send("Profiler.stop");
  const byId = new Map(profile.nodes.map(x=>[x.id,x]));
  const parent = new Map(); for (const x of profile.nodes) for (const c of x.children??[]) parent.set(c,x.id);
  const self = new Map();
  profile.samples.forEach((s,k)=>self.set(s,(self.get(s)??0)+(profile.timeDeltas[k+1]??0)/1000));
  // Attribute each node to nearest kitsrc ancestor chain
  for (const [id,ms] of self) {
    let cur=id, top=null, nearest=null;
    while (cur!==undefined) { const x=byId.get(cur); if (x.callFrame.url.endsWith("kitsrc.js")) { nearest??=x; top=x; } cur=parent.get(cur); }
    if (!nearest) continue;
    total+=ms;
    const me=byId.get(id);
    const key = nearest.callFrame.functionName+":"+(nearest.callFrame.lineNumber+1)+(me===nearest?"":" > "+me.callFrame.functionName);
    funcs.set(key,(funcs.get(key)??0)+ms);
    if (me===nearest && me.positionTicks) { const tt=me.positionTicks.reduce((a,b)=>a+b.ticks,0); for (const t of me.positionTicks) lines.set(t.line,(lines.get(t.line)??0)+ms*t.ticks/tt); }
  }
  await ctx.close();
}
console.log("total ms/load", total/n);
for (const [k,v] of [...funcs].sort((a,b)=>b[1]-a[1]).slice(0,30)) console.log((v/n).toFixed(3), k);
const src=source.split("\n");
console.log("-- lines"); for (const [k,v] of [...lines].sort((a,b)=>b[1]-a[1]).slice(0,40)) console.log((v/n).toFixed(3), k, src[k-1].trim().slice(0,100));
await browser.close(); await stack.stop(); rmSync(shop,{recursive:true});
