/* SPDX-License-Identifier: MIT */
/* What each selector matches in one document, and what is said of a broken one.
 * The answers were checked against two other engines; where those disagree, the
 * standard decides: a blank makes an element not :empty, and the lower-case
 * foreignobject is no name of SVG. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"

static const char page[] =
    "<!DOCTYPE html>\012"
    "<html id=\"html\" lang=\"en\">\012"
    "<head id=\"head\"><title id=\"title\">Selectors</title></head>\012"
    "<body id=\"body\" class=\"page dark\">\012"
    "<div id=\"d1\" class=\"box first\" title=\"One\">\012"
    "<p id=\"p1\" class=\"lead intro\" lang=\"en-GB\">Alpha <em id=\"em1\">beta</em></p>\012"
    "<p id=\"p2\">Gamma</p>\012"
    "<p id=\"p3\" class=\"intro\"><span id=\"s1\" class=\"x\"></span><span id=\"s2\" class=\"x "
    "y\"> </span></p>\012"
    "<!-- nothing -->\012"
    "</div>\012"
    "<div id=\"d2\" class=\"box\" title=\"One Two\">\012"
    "<h2 id=\"h1\">Head</h2>\012"
    "<p id=\"p4\">Delta</p>\012"
    "<h2 id=\"h2\" class=\"x\">Head two</h2>\012"
    "<p id=\"p5\" lang=\"fr\">Epsilon <b id=\"b1\">zeta</b></p>\012"
    "<p id=\"p6\">Eta</p>\012"
    "</div>\012"
    "<ul id=\"ul\" class=\"list\">\012"
    "<li id=\"l1\" class=\"odd\">1</li>\012"
    "<li id=\"l2\" class=\"even hit\">2</li>\012"
    "<li id=\"l3\" class=\"odd\">3</li>\012"
    "<li id=\"l4\" class=\"even\">4</li>\012"
    "<li id=\"l5\" class=\"odd hit\">5</li>\012"
    "<li id=\"l6\" class=\"even\">6</li>\012"
    "</ul>\012"
    "<a id=\"a1\" href=\"http://example.org/a.html\" hreflang=\"en-US\" rel=\"nofollow "
    "me\">A</a>\012"
    "<a id=\"a2\" href=\"/b.pdf\" title=\"\">B</a>\012"
    "<a id=\"a3\" name=\"anchor\">C</a>\012"
    "<form id=\"form\">\012"
    "<input id=\"i1\" type=\"text\" required>\012"
    "<input id=\"i2\" type=\"CHECKBOX\" checked>\012"
    "<input id=\"i3\" type=\"checkbox\">\012"
    "<input id=\"i4\" type=\"radio\" checked disabled>\012"
    "<input id=\"i5\" type=\"text\" readonly value=\"v\">\012"
    "<input id=\"i6\" type=\"submit\">\012"
    "<input id=\"i7\" type=\"text\" placeholder=\"say\">\012"
    "<fieldset id=\"fs\" disabled><legend id=\"lg\"><input id=\"i8\" type=\"text\"></legend><input "
    "id=\"i9\" type=\"text\"><button id=\"bt1\">x</button></fieldset>\012"
    "<select id=\"sel\"><option id=\"o1\" value=\"1\">1</option><option id=\"o2\" "
    "selected>2</option><optgroup id=\"og\" disabled><option "
    "id=\"o3\">3</option></optgroup></select>\012"
    "<textarea id=\"ta\">t</textarea>\012"
    "<button id=\"bt2\">y</button>\012"
    "</form>\012"
    "<section id=\"sec\" data-x=\"a-b\" data-empty=\"\" data-Mixed=\"Value\" class=\"a:b 1st "
    "c\\d\"><article id=\"ar1\"><h3 id=\"h3\">T</h3><p id=\"p7\">one</p></article><article "
    "id=\"ar2\"><p id=\"p8\">two</p></article><article id=\"ar3\"></article></section>\012"
    "<div id=\"d3\" lang=\"de-Latn-DE-1996\"><i id=\"it1\">x</i></div>\012"
    "<div id=\"d4\" contenteditable><u id=\"u1\">y</u></div>\012"
    "<svg id=\"svg\" viewBox=\"0 0 1 1\"><foreignObject id=\"fo\"></foreignObject><circle "
    "id=\"ci\" class=\"x\"/></svg>\012"
    "<p id=\"\303\251t\303\251\" class=\"na\303\257ve\">z</p>\012"
    "</body></html>\012";

static const struct {
    const char *css;
    const char *ids; /* of the matches, in document order */
} valid[] = {
    {"html|*", "html head title body d1 p1 em1 p2 p3 s1 s2 d2 h1 p4 h2 p5 b1 p6 ul l1 l2 l3 l4 l5 "
               "l6 a1 a2 a3 form i1 i2 i3 i4 i5 i6 i7 fs lg i8 i9 bt1 sel o1 o2 og o3 ta bt2 sec "
               "ar1 h3 p7 ar2 p8 ar3 d3 it1 d4 u1 \303\251t\303\251"},
    {"*", "html head title body d1 p1 em1 p2 p3 s1 s2 d2 h1 p4 h2 p5 b1 p6 ul l1 l2 l3 l4 l5 l6 a1 "
          "a2 a3 form i1 i2 i3 i4 i5 i6 i7 fs lg i8 i9 bt1 sel o1 o2 og o3 ta bt2 sec ar1 h3 p7 "
          "ar2 p8 ar3 d3 it1 d4 u1 svg fo ci \303\251t\303\251"},
    {"#ul > *", "l1 l2 l3 l4 l5 l6"},
    {"li", "l1 l2 l3 l4 l5 l6"},
    {"LI", "l1 l2 l3 l4 l5 l6"},
    {"Li.odd", "l1 l3 l5"},
    {"p", "p1 p2 p3 p4 p5 p6 p7 p8 \303\251t\303\251"},
    {"body", "body"},
    {"nosuch", ""},
    {"html|p#p1", "p1"},
    {"*|p#p2", "p2"},
    {"*|*#p3", "p3"},
    {"svg|circle", "ci"},
    {"svg|*", "svg fo ci"},
    {"html|circle", ""},
    {"|p", ""},
    {"*|foreignObject", "fo"},
    {"foreignObject", "fo"},
    {"foreignobject", ""},
    {"circle.x", "ci"},
    {"svg circle", "ci"},
    {"#p1", "p1"},
    {"#P1", ""},
    {"p#p1", "p1"},
    {"div#p1", ""},
    {"#p1#p1", "p1"},
    {"#p1#p2", ""},
    {"#d1 #p1", "p1"},
    {"#\303\251t\303\251", "\303\251t\303\251"},
    {".na\303\257ve", "\303\251t\303\251"},
    {".x", "s1 s2 h2 ci"},
    {".x.y", "s2"},
    {".y.x", "s2"},
    {".X", ""},
    {".page.dark", "body"},
    {".page .lead", "p1"},
    {".lead.intro", "p1"},
    {"p.intro", "p1 p3"},
    {".a\\:b", "sec"},
    {".\\31 st", "sec"},
    {".\\000031st", "sec"},
    {".\\31\\20st", ""},
    {".c\\\\d", "sec"},
    {"#\\70 1", "p1"},
    {"#p\\31", "p1"},
    {".\\78", "s1 s2 h2 ci"},
    {"[id]:not([class]) > b", "b1"},
    {"[title]", "d1 d2 a2"},
    {"[TITLE]", "d1 d2 a2"},
    {"[title=One]", "d1"},
    {"[title=\"One\"]", "d1"},
    {"[title='One']", "d1"},
    {"[title=one]", ""},
    {"[title=one i]", "d1"},
    {"[title=\"ONE\" I]", "d1"},
    {"[title=One s]", "d1"},
    {"[title~=Two]", "d2"},
    {"[title~=\"One Two\"]", ""},
    {"[title~=\"\"]", ""},
    {"[title|=One]", "d1"},
    {"[title^=One]", "d1 d2"},
    {"[title^=\"One \"]", "d2"},
    {"[title$=Two]", "d2"},
    {"[title*=\"e T\"]", "d2"},
    {"[title^=\"\"]", ""},
    {"[title$=\"\"]", ""},
    {"[title*=\"\"]", ""},
    {"[title=\"\"]", "a2"},
    {"[title*=ONE i]", "d1 d2"},
    {"[title^=ONE i]", "d1 d2"},
    {"[title$=two i]", "d2"},
    {"[title~=TWO i]", "d2"},
    {"[hreflang|=en]", "a1"},
    {"[hreflang|=EN]", "a1"},
    {"[hreflang|=\"en-US\"]", "a1"},
    {"[hreflang|=\"e\"]", ""},
    {"[rel~=me]", "a1"},
    {"[rel~=ME]", "a1"},
    {"[href$=\".pdf\"]", "a2"},
    {"[href^=http]", "a1"},
    {"[href*='example']", "a1"},
    {"[ href = \"/b.pdf\" ]", "a2"},
    {"[type=checkbox]", "i2 i3"},
    {"[type=checkbox s]", "i3"},
    {"[type=\"CHECKBOX\" s]", "i2"},
    {"input[type=\"text\" i]", "i1 i5 i7 i8 i9"},
    {"[data-empty]", "sec"},
    {"[data-empty=\"\"]", "sec"},
    {"[data-mixed=Value]", "sec"},
    {"[data-Mixed=Value]", "sec"},
    {"[data-mixed=value]", ""},
    {"[data-mixed=value i]", "sec"},
    {"[data-x|=a]", "sec"},
    {"[data-x=a-b]", "sec"},
    {"[data-x=\"a\\-b\"]", "sec"},
    {"[data-x=\"a\\2d b\"]", "sec"},
    {"[*|title=One]", "d1"},
    {"[|title=One]", "d1"},
    {"[viewBox]", "svg"},
    {"svg[viewBox=\"0 0 1 1\"]", "svg"},
    {"[class=\"x y\"]", "s2"},
    {"[class~=\"x\"]", "s1 s2 h2 ci"},
    {"[id=\"p1\"],[id=\"p2\"]", "p1 p2"},
    {"[name=anchor]", "a3"},
    {"div p", "p1 p2 p3 p4 p5 p6"},
    {"div > p", "p1 p2 p3 p4 p5 p6"},
    {"div>p", "p1 p2 p3 p4 p5 p6"},
    {"div  >  p", "p1 p2 p3 p4 p5 p6"},
    {"#d1>p", "p1 p2 p3"},
    {"#d1 > p > em", "em1"},
    {"body em", "em1"},
    {"html body div p em", "em1"},
    {"#html em", "em1"},
    {"ul li.hit", "l2 l5"},
    {"div em, ul .hit", "em1 l2 l5"},
    {"h2 + p", "p4 p5"},
    {"h2+p", "p4 p5"},
    {"h2 ~ p", "p4 p5 p6"},
    {"h2~p", "p4 p5 p6"},
    {"#h1 ~ .x", "h2"},
    {"#h1 + .x", ""},
    {"p + p", "p2 p3 p6"},
    {"p ~ p", "p2 p3 p5 p6"},
    {"#p1 + #p2 + #p3", "p3"},
    {"#p1 + #p3", ""},
    {"#p1 ~ #p3 span", "s1 s2"},
    {"#p1 + p ~ p > .y", "s2"},
    {"div + div", "d2 d4"},
    {"div + div > p", "p4 p5 p6"},
    {"div ~ ul > li + li", "l2 l3 l4 l5 l6"},
    {"#d1 ~ div", "d2 d3 d4"},
    {"* > * > * > em", "em1"},
    {"body > div:first-child", "d1"},
    {"body > div:first-of-type p:last-child", "p3"},
    {"li, li, .odd", "l1 l2 l3 l4 l5 l6"},
    {"#l3, #l1, li.even", "l1 l2 l3 l4 l6"},
    {"#p2,#p1", "p1 p2"},
    {"p , em", "p1 em1 p2 p3 p4 p5 p6 p7 p8 \303\251t\303\251"},
    {":root", "html"},
    {":root > body", "body"},
    {"html:root", "html"},
    {"body:root", ""},
    {":scope", "html"},
    {":scope > body", "body"},
    {":empty", "s1 i1 i2 i3 i4 i5 i6 i7 i8 i9 ar3 fo ci"},
    {"span:empty", "s1"},
    {"article:empty", "ar3"},
    {"#s2:empty", ""},
    {":first-child", "html head title d1 p1 em1 s1 h1 b1 l1 i1 lg i8 o1 o3 ar1 h3 p8 it1 u1 fo"},
    {"li:first-child", "l1"},
    {"p:first-child", "p1 p8"},
    {"li:last-child", "l6"},
    {"p:last-child", "p3 p6 p7 p8 \303\251t\303\251"},
    {"p:only-child", "p8"},
    {"em:only-child", "em1"},
    {"h2:first-of-type", "h1"},
    {"p:first-of-type", "p1 p4 p7 p8 \303\251t\303\251"},
    {"p:last-of-type", "p3 p6 p7 p8 \303\251t\303\251"},
    {"h2:last-of-type", "h2"},
    {":only-of-type", "html head title body em1 b1 ul form fs lg i8 i9 bt1 sel og o3 ta bt2 sec h3 "
                      "p7 p8 it1 u1 svg fo ci \303\251t\303\251"},
    {"p:only-of-type", "p7 p8 \303\251t\303\251"},
    {"h3:only-of-type", "h3"},
    {"li:nth-child(1)", "l1"},
    {"li:nth-child(odd)", "l1 l3 l5"},
    {"li:nth-child(ODD)", "l1 l3 l5"},
    {"li:nth-child(even)", "l2 l4 l6"},
    {"li:nth-child(2n)", "l2 l4 l6"},
    {"li:nth-child(2n+1)", "l1 l3 l5"},
    {"li:nth-child( 2n + 1 )", "l1 l3 l5"},
    {"li:nth-child(2N-1)", "l1 l3 l5"},
    {"li:nth-child(3n)", "l3 l6"},
    {"li:nth-child(3n+2)", "l2 l5"},
    {"li:nth-child(3n-2)", "l1 l4"},
    {"li:nth-child(n)", "l1 l2 l3 l4 l5 l6"},
    {"li:nth-child(+n)", "l1 l2 l3 l4 l5 l6"},
    {"li:nth-child(n+4)", "l4 l5 l6"},
    {"li:nth-child(-n+3)", "l1 l2 l3"},
    {"li:nth-child(-n + 3)", "l1 l2 l3"},
    {"li:nth-child(-2n+5)", "l1 l3 l5"},
    {"li:nth-child(0n+2)", "l2"},
    {"li:nth-child(0)", ""},
    {"li:nth-child(-1)", ""},
    {"li:nth-child(+3)", "l3"},
    {"li:nth-child(99999999999)", ""},
    {"li:nth-child(n+2):nth-child(-n+4)", "l2 l3 l4"},
    {"li:nth-last-child(1)", "l6"},
    {"li:nth-last-child(2n)", "l1 l3 l5"},
    {"li:nth-last-child(-n+2)", "l5 l6"},
    {"p:nth-of-type(1)", "p1 p4 p7 p8 \303\251t\303\251"},
    {"p:nth-of-type(2)", "p2 p5"},
    {"p:nth-of-type(odd)", "p1 p3 p4 p6 p7 p8 \303\251t\303\251"},
    {"#d2 > :nth-of-type(2)", "h2 p5"},
    {"#d2 > :nth-last-of-type(1)", "h2 p6"},
    {"p:nth-last-of-type(1)", "p3 p6 p7 p8 \303\251t\303\251"},
    {"p:nth-last-of-type(2)", "p2 p5"},
    {"li:nth-child(1 of .even)", "l2"},
    {"li:nth-child(2 of .even)", "l4"},
    {":nth-child(odd of .hit)", "l2"},
    {"li:nth-last-child(1 of .odd)", "l5"},
    {":nth-child(even of li, p)", "p2 p5 l2 l4 l6"},
    {"li:nth-child(n of .hit)", "l2 l5"},
    {"li:not(.odd)", "l2 l4 l6"},
    {"li:not(.odd, .hit)", "l4 l6"},
    {"li:not(.odd):not(.hit)", "l4 l6"},
    {"li:not(:first-child)", "l2 l3 l4 l5 l6"},
    {"p:not(div p)", "p7 p8 \303\251t\303\251"},
    {"p:not(#d1 > p)", "p4 p5 p6 p7 p8 \303\251t\303\251"},
    {"li:not(:nth-child(2n))", "l1 l3 l5"},
    {":not(:not(em))", "em1"},
    {"p:not([class])", "p2 p4 p5 p6 p7 p8"},
    {"body :not(*)", ""},
    {"*:not(p):not(div) > em", ""},
    {":is(h2, h3)", "h1 h2 h3"},
    {":is(h2, h3) + p", "p4 p5 p7"},
    {"div:is(#d1, #d2) > p", "p1 p2 p3 p4 p5 p6"},
    {":is(#d1 p, #d2 h2).x", "h2"},
    {":is(div, ul):is([title], .list)", "d1 d2 ul"},
    {":is()", ""},
    {":where(h2)", "h1 h2"},
    {":where(#p1, .hit):not(li)", "p1"},
    {":matches(h3)", "h3"},
    {":is(:is(:is(em)))", "em1"},
    {"div:has(em)", "d1"},
    {"div:has(> p)", "d1 d2"},
    {"div:has(> em)", ""},
    {"div:has(> p > em)", "d1"},
    {"h2:has(+ p)", "h1 h2"},
    {"h2:has(~ h2)", "h1"},
    {"p:has(+ p + p)", "p1"},
    {"article:has(h3, p)", "ar1 ar2"},
    {"article:has(p):not(:has(h3))", "ar2"},
    {"li:has(+ .hit)", "l1 l4"},
    {":has(> .y)", "p3"},
    {"ul:has(:not(li))", ""},
    {"ul:has(.odd.hit)", "ul"},
    {"body > :has(b)", "d2"},
    {"p:has(> b, > em)", "p1 p5"},
    {"div:has(h2 + p ~ p)", "d2"},
    {"section:has(article > h3 + p)", "sec"},
    {"p:not(:has(*)):has(+ p)", "p2"},
    {":has(#nosuch)", ""},
    {"#h1:has(~ p b)", "h1"},
    {":lang(en)", "html head title body d1 p1 em1 p2 p3 s1 s2 d2 h1 p4 h2 p6 ul l1 l2 l3 l4 l5 l6 "
                  "a1 a2 a3 form i1 i2 i3 i4 i5 i6 i7 fs lg i8 i9 bt1 sel o1 o2 og o3 ta bt2 sec "
                  "ar1 h3 p7 ar2 p8 ar3 d4 u1 svg fo ci \303\251t\303\251"},
    {"p:lang(en)", "p1 p2 p3 p4 p6 p7 p8 \303\251t\303\251"},
    {"p:lang(en-GB)", "p1"},
    {":lang(fr)", "p5 b1"},
    {":lang(de)", "d3 it1"},
    {":lang(de-DE)", "d3 it1"},
    {":lang(\"de-DE\")", "d3 it1"},
    {":lang(\"*-DE\")", "d3 it1"},
    {":lang(de-1996)", "d3 it1"},
    {":lang(e)", ""},
    {"p:lang(fr, en-GB)", "p1 p5"},
    {":link", "a1 a2"},
    {"a:any-link", "a1 a2"},
    {"a:not(:link)", "a3"},
    {":visited", ""},
    {"a:hover", ""},
    {":focus, #p1", "p1"},
    {":active", ""},
    {":target", ""},
    {":checked", "i2 i4 o2"},
    {":enabled", "i1 i2 i3 i5 i6 i7 i8 sel o1 o2 ta bt2"},
    {":disabled", "i4 fs i9 bt1 og o3"},
    {"input:disabled", "i4 i9"},
    {"option:disabled", "o3"},
    {":required", "i1"},
    {":optional", "i2 i3 i4 i5 i6 i7 i8 i9 sel ta"},
    {"input:read-only", "i2 i3 i4 i5 i6 i9"},
    {":read-only:is(textarea, input)", "i2 i3 i4 i5 i6 i9"},
    {":read-write", "i1 i7 i8 ta d4 u1"},
    {":placeholder-shown", "i7"},
    {":default", "i2 i4 i6 o2"},
    {":-soup-contains(\"lph\")", "html body d1 p1"},
    {"p:-soup-contains(\"beta\")", "p1"},
    {"p:-soup-contains-own(\"beta\")", ""},
    {":-soup-contains-own(\"Alpha\")", "p1"},
    {"p:-soup-contains(\"Gamma\", \"Delta\")", "p2 p4"},
    {"p::before", ""},
    {"p:first-line", ""},
    {"::after", ""},
    {"#d1 > p:not(.lead):not(:has(span))", "p2"},
    {"ul > li:nth-child(2) ~ li.hit", "l5"},
    {"div/**/#d1", "d1"},
    {"/* c */ em", "em1"},
    {"div/* a */ /* b */em", "em1"},
    {"li:nth-child(2n+1):not(:first-child):is(.hit)", "l5"},
    {"*:first-child > *:last-child", "title body em1 p3 i8 p7"},
    {"body > *:nth-child(3) > li", "l1 l2 l3 l4 l5 l6"},
    {"#nosuch p", ""},
    {"p nosuch", ""},
    {"span.x:not(.y) + span", "s2"},
    {"section article:nth-of-type(2) p", "p8"},
    {"#sec > :nth-child(2) > p", "p8"},
    {"a[href]:not([href^=\"http\"])", "a2"},
    {"a[rel~=\"nofollow\"][rel~=\"me\"]", "a1"},
    {"input:not([type=text]):not([type=submit])", "i2 i3 i4"},
    {"table tr td", ""},
    {"[id^=l]:is(li)", "l1 l2 l3 l4 l5 l6"},
    {"[id$=\"1\"]:is(p, em, h2)", "p1 em1 h1"},
};

static const struct {
    const char *css;
    const char *column;
    const char *cause;
} invalid[] = {
    {"", "column 1: ", "ends"},
    {" ", "column 2: ", "ends"},
    {"div,", "column 5: ", "ends"},
    {",div", "column 1: ", "selector is expected"},
    {"div,,p", "column 5: ", "selector is expected"},
    {".", "column 2: ", "class name"},
    {"..a", "column 2: ", "class name"},
    {".5cm", "column 1: ", "digit"},
    {".a.", "column 4: ", "class name"},
    {"#", "column 1: ", "selector is expected"},
    {"#1a", "column 1: ", "id cannot begin"},
    {"1a", "column 1: ", "digit"},
    {"[", "column 2: ", "name"},
    {"[]", "column 2: ", "name"},
    {"[a", "column 3: ", "']'"},
    {"[a=]", "column 4: ", "value"},
    {"[a=1]", "column 4: ", "digit"},
    {"[a=\"x\" z]", "column 8: ", "'i' or 's'"},
    {"[a b]", "column 4: ", "']'"},
    {"[*=x]", "column 2: ", "name"},
    {"[a!=x]", "column 3: ", "']'"},
    {"a >", "column 4: ", "ends"},
    {"> a", "column 1: ", "selector is expected"},
    {"a > > b", "column 5: ", "selector is expected"},
    {"a >> b", "column 4: ", "selector is expected"},
    {"a ++ b", "column 4: ", "selector is expected"},
    {"a & b", "column 3: ", "selector is expected"},
    {"a || b", "column 3: ", "selector is expected"},
    {"a | b", "column 4: ", "name"},
    {"|", "column 2: ", "ends"},
    {"ns|a", "column 1: ", "not known"},
    {"div ns|a", "column 5: ", "not known"},
    {"[ns|a]", "column 2: ", "not known"},
    {"^|a", "column 1: ", "selector is expected"},
    {":", "column 2: ", "pseudo-class"},
    {"::", "column 3: ", "pseudo-element"},
    {":::before", "column 3: ", "pseudo-element"},
    {":: before", "column 3: ", "pseudo-element"},
    {":foo", "column 2: ", "not known"},
    {"a:foo", "column 3: ", "not known"},
    {":foo(a)", "column 2: ", "not known"},
    {"::foo", "column 3: ", "not known"},
    {"::foo(x)", "column 3: ", "not known"},
    {"\303\251t\303\251:foo", "column 5: ", "not known"},
    {":not()", "column 6: ", "selector is expected"},
    {":not(", "column 6: ", "ends"},
    {":not(a", "column 7: ", "')'"},
    {":not(a,)", "column 8: ", "selector is expected"},
    {":not a", "column 2: ", "not known"},
    {":is(,a)", "column 5: ", "selector is expected"},
    {":has()", "column 6: ", "selector is expected"},
    {":has(:has(a))", "column 7: ", "inside"},
    {":has(a:not(:has(b)))", "column 13: ", "inside"},
    {":nth-child()", "column 12: ", "number"},
    {":nth-child(a)", "column 12: ", "number"},
    {":nth-child(2x)", "column 13: ", "')'"},
    {":nth-child(+ 2n)", "column 13: ", "number"},
    {":nth-child(2n 1)", "column 15: ", "')'"},
    {":nth-child(2n + )", "column 17: ", "number"},
    {":nth-child(n- -1)", "column 15: ", "number"},
    {":nth-child(2 of)", "column 16: ", "blank"},
    {":nth-child(2 of )", "column 17: ", "selector is expected"},
    {":nth-of-type(2 of a)", "column 16: ", "')'"},
    {":nth-child", "column 2: ", "not known"},
    {":lang()", "column 7: ", "name or string"},
    {":lang(2)", "column 7: ", "digit"},
    {":lang(en", "column 9: ", "')'"},
    {"a::text b", "column 9: ", "nothing may follow"},
    {"a::text.b", "column 8: ", "combinator"},
    {":is(a::text)", "column 8: ", "parentheses"},
    {"::attr", "column 3: ", "not known"},
    {"::attr()", "column 8: ", "attribute"},
    {"::attr(a", "column 9: ", "')'"},
    {"a b)", "column 4: ", "combinator"},
    {"(a)", "column 1: ", "selector is expected"},
    {"a{", "column 2: ", "combinator"},
    {"@a", "column 1: ", "selector is expected"},
    {"a;", "column 2: ", "combinator"},
    {"a\"b\"", "column 2: ", "combinator"},
    {"\"a", "column 1: ", "selector is expected"},
    {"[a=\"x\012y\"]", "column 4: ", "line end"},
    {"a\\", "column 2: ", ""},
    {"\\", "column 1: ", ""},
    {"div/**/p", "column 8: ", "combinator"},
    {"a!b", "column 2: ", "combinator"},
    {"a%b", "column 2: ", "combinator"},
    {"$x", "column 1: ", "selector is expected"},
};

static struct cel_html *parse(enum cel_html_parser parser)
{
    struct cel_html_options options = {.parser = parser};
    struct cel_html *doc;

    assert_int_equal(cel_html_parse(&doc, page, sizeof page - 1, &options), 0);
    return doc;
}

static void list_ids(const struct cel_html *doc, const char *css, char *out, size_t size)
{
    struct cel_selector *selector;
    struct cel_error error;
    struct cel_node *nodes;
    size_t len = 0;
    int count;

    if (cel_selector_new(&selector, css, &error) < 0)
        fail_msg("%s: %s", css, error.text);
    count = cel_select_all(selector, cel_html_root(doc), &nodes);
    assert_true(count >= 0);
    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        struct cel_str id = cel_node_attr(nodes[i], "id");

        assert_non_null(id.ptr);
        assert_int_equal(cel_node_matches(nodes[i], selector), 1);
        len += (size_t)snprintf(out + len, size - len, "%s%.*s", i != 0 ? " " : "", CEL_STR(id));
        assert_true(len < size);
    }
    cel_nodes_free(nodes);
    cel_selector_free(selector);
}

static void selector_valid_matches_its_elements(void **state)
{
    struct cel_html *doc = parse(CEL_HTML_HTML5);
    char ids[2048];

    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        list_ids(doc, valid[i].css, ids, sizeof ids);
        if (strcmp(ids, valid[i].ids) != 0)
            fail_msg("%s matches \"%s\", not \"%s\"", valid[i].css, ids, valid[i].ids);
    }
    cel_html_free(doc);
}

/* libxml2 knows no SVG and drops attribute names beyond ASCII; all else is the same tree. */
static void selector_valid_matches_alike_on_libxml2(void **state)
{
    static const char *const apart[] = {"svg", "foreign", "viewBox", "*|", "html|"};
    struct cel_html *doc = parse(CEL_HTML_LIBXML2);
    char ids[2048];

    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        int is_apart = 0;

        for (size_t k = 0; k < sizeof apart / sizeof *apart; k++)
            is_apart |= strstr(valid[i].css, apart[k]) != NULL;
        if (is_apart)
            continue;
        list_ids(doc, valid[i].css, ids, sizeof ids);
        if (strcmp(ids, valid[i].ids) != 0)
            fail_msg("%s matches \"%s\", not \"%s\"", valid[i].css, ids, valid[i].ids);
    }
    cel_html_free(doc);
}

static void selector_invalid_is_refused_with_column(void **state)
{
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        struct cel_selector *selector = NULL;
        struct cel_error error;
        int r = cel_selector_new(&selector, invalid[i].css, &error);

        if (r != -CEL_ESELECTOR)
            fail_msg("\"%s\" gives %d", invalid[i].css, r);
        assert_null(selector);
        assert_int_equal(error.code, -CEL_ESELECTOR);
        if (strncmp(error.text, invalid[i].column, strlen(invalid[i].column)) != 0 ||
            strstr(error.text, invalid[i].cause) == NULL)
            fail_msg("\"%s\" says \"%s\"", invalid[i].css, error.text);
    }
}

static void selector_error_may_be_null(void **state)
{
    struct cel_selector *selector;

    assert_int_equal(cel_selector_new(&selector, "a,", NULL), -CEL_ESELECTOR);
}

static void repeat(struct cel__buf *out, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        cel__buf_add_text(out, text);
}

static void selector_too_deep_is_refused(void **state)
{
    static const char *const units[][2] = {{":is(", ")"}, {"a ", ""}, {":not(b ~ ", ")"}};
    struct cel_selector *selector;
    struct cel_error error;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct cel__buf css = {0};

        repeat(&css, units[i][0], 500);
        repeat(&css, "a", 1);
        repeat(&css, units[i][1], 500);
        assert_int_equal(cel_selector_new(&selector, cel__buf_cstr(&css), &error), -CEL_ESELECTOR);
        assert_non_null(strstr(error.text, "deeply nested"));
        cel__buf_fini(&css);
    }
}

static void selector_long_list_is_fine(void **state)
{
    struct cel_html *doc = parse(CEL_HTML_HTML5);
    struct cel__buf css = {0};
    char ids[64];

    repeat(&css, "#p1 > em, ", 500);
    repeat(&css, "em", 1);
    list_ids(doc, cel__buf_cstr(&css), ids, sizeof ids);
    assert_string_equal(ids, "em1");
    cel__buf_fini(&css);
    cel_html_free(doc);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(selector_valid_matches_its_elements),
        cmocka_unit_test(selector_valid_matches_alike_on_libxml2),
        cmocka_unit_test(selector_invalid_is_refused_with_column),
        cmocka_unit_test(selector_error_may_be_null),
        cmocka_unit_test(selector_too_deep_is_refused),
        cmocka_unit_test(selector_long_list_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
