"""An instance to evaluate expressions in, as the core gives it to lxml."""

from __future__ import annotations

from typing import Any

from lxml import etree

from surveys.xpath import FUNCTIONS, translate

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
  <choices path="/data/fruit">
    <choice name="apple"><label lang="zh">苹果</label><label lang="en">Apple</label></choice>
    <choice name="pear"><label lang="">Pear</label></choice>
  </choices>
  <choices path="/data/person/name">
    <choice name="Li"><label lang="en">Mx Li</label></choice>
  </choices>
</secondary>""")


def node_at(path: str) -> Any:
    """The first element of the instance at an ordinary path."""
    return INSTANCE.xpath(path)[0]


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
    compiled = etree.XPath(translate(expression), extensions=FUNCTIONS, smart_strings=False)
    return compiled(
        node, now=now, seed=seed, language=language, current=[node], secondary=SECONDARY
    )


def texts(expression: str, at: str = "/data/a", **given: str) -> list[str]:
    """The texts of the nodes that ``expression`` gives."""
    return [node.text or "" for node in value(expression, at, **given)]
