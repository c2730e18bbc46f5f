"""An instance to evaluate expressions in, as the core gives it to lxml."""

from __future__ import annotations

from typing import Any

from lxml import etree

from surveys.logic.functions import extensions, functions
from surveys.logic.xpath import translate

INSTANCE = etree.fromstring("""
<data version="7">
  <a>5</a><b>苹果</b><empty/><some>x y z</some><word>Ab  c </word>
  <day>2026-11-20</day><moment>2026-11-22T14:30:00</moment><time>14:30:00</time>
  <here>30.25 120.17 9 4.5</here><fruit>apple</fruit>
  <square>0 0 0 0;0 1 0 0;1 1 0 0;1 0 0 0;0 0 0 0</square>
  <person><name>Li</name><age>30</age><born>1996-02-29</born>
    <child><toy>ball</toy></child><child><toy>kite</toy></child></person>
  <person><name>Wang</name><age/><born/><child><toy>doll</toy></child></person>
  <person><name>Ana</name><age>-4.5</age><born>2026-11-22</born></person>
</data>""")

SECONDARY = etree.fromstring("""
<secondary>
  <instance id="towns"><root>
    <item><name>hz</name><label>Hangzhou</label><of>5</of><since>2026-11-20</since></item>
    <item><name>nb</name><label>Ningbo</label><of>5</of><since>2026-11-30</since></item>
    <item><name>sh</name><label>Shanghai</label><of>6</of><since/></item>
  </root></instance>
</secondary>""")

FUNCTIONS = functions({
    ("/data/fruit", "apple"): {"zh": "苹果", "en": "Apple"},
    ("/data/fruit", "pear"): {"": "Pear"},
    ("/data/person/name", "Li"): {"en": "Mx Li"},
})  # fmt: skip


def node_at(path: str) -> Any:
    """The first element of the instance at an ordinary path."""
    return INSTANCE.xpath(path)[0]


def compiled(expression: str) -> etree.XPath:
    """``expression`` ready to run in lxml."""
    translated = translate(expression)
    known = extensions(FUNCTIONS, translated)
    return etree.XPath(translated, extensions=known, smart_strings=False)


def value(
    expression: str,
    at: str = "/data/a",
    *,
    now: str = "2026-11-22T14:30:00+08:00",
    seed: str = "seed",
    language: str = "zh",
) -> Any:
    """What ``expression`` gives at the node ``at``, elements as they are."""
    node = node_at(at)
    variables = {"now": now, "seed": seed, "language": language}
    return compiled(expression)(node, current=[node], secondary=SECONDARY, **variables)


def texts(expression: str, at: str = "/data/a", **given: str) -> list[str]:
    """The texts of the nodes that ``expression`` gives."""
    return [node.text or "" for node in value(expression, at, **given)]
