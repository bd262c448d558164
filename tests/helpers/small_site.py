"""A built site of two pages, as Jupyter Book leaves it, and a thread apart for Playwright."""

from concurrent.futures import ThreadPoolExecutor


def apart(function, *arguments):
    """Call it in another thread: Playwright runs once in each, and this one may hold the browser of the other tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


PAGE = """<html><head><title>T</title><link rel="stylesheet" href="../_static/a.css">
<script>window.MathJax = {"options": {}}</script></head>
<body><article class="bd-article">%s</article></body></html>"""

FRONT = """<section id="front"><h1>Front &amp; first<a class="headerlink" href="#front">#</a></h1>
<p><a href="one.html">one</a> <a href="one.html#deep">deep</a> <a href="#front">here</a> <a href="https://example.org/x">out</a>
<a href="../records/one.json">JSON</a> <a href="../records/one.csv">CSV</a></p></section>"""

ONE = """<section id="one"><h1>One</h1><p id="deep" aria-labelledby="one other">Text.</p>
<style>#T_1_row0 { color: red }</style><table><tr><td id="T_1_row0">1</td></tr></table>
<section id="part"><h2>Its <em>part</em></h2><img src="../_images/a.png" alt="A picture of nothing at all"></section>
<div class="cell tag_hide-input"><details class="hide"><summary>Show</summary><pre>figure code</pre></details><p>figure</p></div>
<div class="cell tag_hide-cell"><details class="hide"><summary>Show</summary><pre>install code</pre></details></div>
<details class="solution"><summary>Solution</summary><div class="cell tag_solution"><pre>solution code</pre></div></details>
<div class="cell tag_hide-cell"><details class="hide"><summary><p class="collapsed">Check: all</p><p class="expanded">Check: all</p></summary>
<pre>check</pre><pre class="cell_output">True</pre></details></div>
<div class="cell tag_hide-output"><pre>code</pre><details class="hide"><summary>Show</summary><pre class="cell_output">long output</pre></details></div>
<details><summary>by pairs</summary>the evidence</details><h2>Raw heading</h2></section><script>alert(1)</script>"""
