/* SPDX-License-Identifier: MIT */
#ifndef CEL__NAMES_H
#define CEL__NAMES_H

/* The names of one document as small numbers. Comparing two names is then one
 * integer compare. What the HTML standard names, and what pages use most, has a
 * fixed number that is found without a document; each fits two words of 8 bytes.
 * The rest are counted up as the document brings them. Their hash has a key drawn
 * once per process, so that a page cannot aim collisions. */

#include <stdint.h>

#include "base/buf.h"

/* name constant, spelling */
#define CEL__NAMES(X)                         \
    X(A, "a")                                 \
    X(ABBR, "abbr")                           \
    X(ABOUT, "about")                         \
    X(ACCEPT, "accept")                       \
    X(ACCEPT_CHARSET, "accept-charset")       \
    X(ACCESSKEY, "accesskey")                 \
    X(ACRONYM, "acronym")                     \
    X(ACTION, "action")                       \
    X(ACTIONTYPE, "actiontype")               \
    X(ADDRESS, "address")                     \
    X(ALIGN, "align")                         \
    X(ALINK, "alink")                         \
    X(ALLOW, "allow")                         \
    X(ALLOWFULLSCREEN, "allowfullscreen")     \
    X(ALT, "alt")                             \
    X(ANIMATE, "animate")                     \
    X(ANNOTATION, "annotation")               \
    X(ANNOTATION_XML, "annotation-xml")       \
    X(APPLET, "applet")                       \
    X(ARCHIVE, "archive")                     \
    X(AREA, "area")                           \
    X(ARIA_CONTROLS, "aria-controls")         \
    X(ARIA_CURRENT, "aria-current")           \
    X(ARIA_DESCRIBEDBY, "aria-describedby")   \
    X(ARIA_EXPANDED, "aria-expanded")         \
    X(ARIA_HASPOPUP, "aria-haspopup")         \
    X(ARIA_HIDDEN, "aria-hidden")             \
    X(ARIA_LABEL, "aria-label")               \
    X(ARIA_LABELLEDBY, "aria-labelledby")     \
    X(ARTICLE, "article")                     \
    X(AS, "as")                               \
    X(ASIDE, "aside")                         \
    X(ASYNC, "async")                         \
    X(AUDIO, "audio")                         \
    X(AUTOCOMPLETE, "autocomplete")           \
    X(AUTOFOCUS, "autofocus")                 \
    X(AUTOPLAY, "autoplay")                   \
    X(AXIS, "axis")                           \
    X(B, "b")                                 \
    X(BACKGROUND, "background")               \
    X(BASE, "base")                           \
    X(BASEFONT, "basefont")                   \
    X(BDI, "bdi")                             \
    X(BDO, "bdo")                             \
    X(BEHAVIOR, "behavior")                   \
    X(BGCOLOR, "bgcolor")                     \
    X(BGSOUND, "bgsound")                     \
    X(BIG, "big")                             \
    X(BLINK, "blink")                         \
    X(BLOCKQUOTE, "blockquote")               \
    X(BODY, "body")                           \
    X(BORDER, "border")                       \
    X(BORDERCOLOR, "bordercolor")             \
    X(BR, "br")                               \
    X(BUTTON, "button")                       \
    X(CANVAS, "canvas")                       \
    X(CAPTION, "caption")                     \
    X(CELLPADDING, "cellpadding")             \
    X(CELLSPACING, "cellspacing")             \
    X(CENTER, "center")                       \
    X(CHAR, "char")                           \
    X(CHARSET, "charset")                     \
    X(CHECKED, "checked")                     \
    X(CIRCLE, "circle")                       \
    X(CITE, "cite")                           \
    X(CLASS, "class")                         \
    X(CLASSID, "classid")                     \
    X(CLEAR, "clear")                         \
    X(CLIP_PATH, "clip-path")                 \
    X(CLIP_RULE, "clip-rule")                 \
    X(CLIPPATH_CAMEL, "clipPath")             \
    X(CLIPPATH, "clippath")                   \
    X(CODE, "code")                           \
    X(CODEBASE, "codebase")                   \
    X(COL, "col")                             \
    X(COLGROUP, "colgroup")                   \
    X(COLOR, "color")                         \
    X(COLS, "cols")                           \
    X(COLSPAN, "colspan")                     \
    X(COMPACT, "compact")                     \
    X(CONTENT, "content")                     \
    X(CONTENTEDITABLE, "contenteditable")     \
    X(CONTROLS, "controls")                   \
    X(COORDS, "coords")                       \
    X(CROSSORIGIN, "crossorigin")             \
    X(CX, "cx")                               \
    X(CY, "cy")                               \
    X(D, "d")                                 \
    X(DATA, "data")                           \
    X(DATA_ACTION, "data-action")             \
    X(DATA_ID, "data-id")                     \
    X(DATA_INDEX, "data-index")               \
    X(DATA_NAME, "data-name")                 \
    X(DATA_SRC, "data-src")                   \
    X(DATA_TARGET, "data-target")             \
    X(DATA_TOGGLE, "data-toggle")             \
    X(DATA_TYPE, "data-type")                 \
    X(DATA_URL, "data-url")                   \
    X(DATA_VALUE, "data-value")               \
    X(DATALIST, "datalist")                   \
    X(DATATYPE, "datatype")                   \
    X(DATETIME, "datetime")                   \
    X(DD, "dd")                               \
    X(DECLARE, "declare")                     \
    X(DECODING, "decoding")                   \
    X(DEFAULT, "default")                     \
    X(DEFER, "defer")                         \
    X(DEFINITIONURL, "definitionurl")         \
    X(DEFS, "defs")                           \
    X(DEL, "del")                             \
    X(DESC, "desc")                           \
    X(DETAILS, "details")                     \
    X(DFN, "dfn")                             \
    X(DIALOG, "dialog")                       \
    X(DIR, "dir")                             \
    X(DIRECTION, "direction")                 \
    X(DIRNAME, "dirname")                     \
    X(DISABLED, "disabled")                   \
    X(DIV, "div")                             \
    X(DL, "dl")                               \
    X(DOWNLOAD, "download")                   \
    X(DRAGGABLE, "draggable")                 \
    X(DT, "dt")                               \
    X(DX, "dx")                               \
    X(DY, "dy")                               \
    X(ELLIPSE, "ellipse")                     \
    X(EM, "em")                               \
    X(EMBED, "embed")                         \
    X(ENCODING, "encoding")                   \
    X(ENCTYPE, "enctype")                     \
    X(ENTERKEYHINT, "enterkeyhint")           \
    X(EVENT, "event")                         \
    X(FACE, "face")                           \
    X(FETCHPRIORITY, "fetchpriority")         \
    X(FIELDSET, "fieldset")                   \
    X(FIGCAPTION, "figcaption")               \
    X(FIGURE, "figure")                       \
    X(FILL, "fill")                           \
    X(FILL_RULE, "fill-rule")                 \
    X(FILTER, "filter")                       \
    X(FONT, "font")                           \
    X(FOOTER, "footer")                       \
    X(FOR, "for")                             \
    X(FOREIGNOBJECT_CAMEL, "foreignObject")   \
    X(FOREIGNOBJECT, "foreignobject")         \
    X(FORM, "form")                           \
    X(FORMACTION, "formaction")               \
    X(FORMMETHOD, "formmethod")               \
    X(FRAME, "frame")                         \
    X(FRAMEBORDER, "frameborder")             \
    X(FRAMESET, "frameset")                   \
    X(G, "g")                                 \
    X(GRADIENTUNITS, "gradientunits")         \
    X(H1, "h1")                               \
    X(H2, "h2")                               \
    X(H3, "h3")                               \
    X(H4, "h4")                               \
    X(H5, "h5")                               \
    X(H6, "h6")                               \
    X(HEAD, "head")                           \
    X(HEADER, "header")                       \
    X(HEADERS, "headers")                     \
    X(HEIGHT, "height")                       \
    X(HGROUP, "hgroup")                       \
    X(HIDDEN, "hidden")                       \
    X(HIGH, "high")                           \
    X(HR, "hr")                               \
    X(HREF, "href")                           \
    X(HREFLANG, "hreflang")                   \
    X(HSPACE, "hspace")                       \
    X(HTML, "html")                           \
    X(HTTP_EQUIV, "http-equiv")               \
    X(I, "i")                                 \
    X(ID, "id")                               \
    X(IFRAME, "iframe")                       \
    X(IMAGE, "image")                         \
    X(IMAGESIZES, "imagesizes")               \
    X(IMAGESRCSET, "imagesrcset")             \
    X(IMG, "img")                             \
    X(IMPORTANCE, "importance")               \
    X(INERT, "inert")                         \
    X(INPUT, "input")                         \
    X(INPUTMODE, "inputmode")                 \
    X(INS, "ins")                             \
    X(INTEGRITY, "integrity")                 \
    X(IS, "is")                               \
    X(ISINDEX, "isindex")                     \
    X(ISMAP, "ismap")                         \
    X(ITEMID, "itemid")                       \
    X(ITEMPROP, "itemprop")                   \
    X(ITEMREF, "itemref")                     \
    X(ITEMSCOPE, "itemscope")                 \
    X(ITEMTYPE, "itemtype")                   \
    X(KBD, "kbd")                             \
    X(KEYGEN, "keygen")                       \
    X(KIND, "kind")                           \
    X(LABEL, "label")                         \
    X(LANG, "lang")                           \
    X(LANGUAGE, "language")                   \
    X(LEFTMARGIN, "leftmargin")               \
    X(LEGEND, "legend")                       \
    X(LI, "li")                               \
    X(LINE, "line")                           \
    X(LINEARGRADIENT_CAMEL, "linearGradient") \
    X(LINEARGRADIENT, "lineargradient")       \
    X(LINK, "link")                           \
    X(LIST, "list")                           \
    X(LISTING, "listing")                     \
    X(LOADING, "loading")                     \
    X(LONGDESC, "longdesc")                   \
    X(LOOP, "loop")                           \
    X(LOW, "low")                             \
    X(MAIN, "main")                           \
    X(MALIGNMARK, "malignmark")               \
    X(MAP, "map")                             \
    X(MARGINHEIGHT, "marginheight")           \
    X(MARGINWIDTH, "marginwidth")             \
    X(MARK, "mark")                           \
    X(MARKER, "marker")                       \
    X(MARQUEE, "marquee")                     \
    X(MASK, "mask")                           \
    X(MATH, "math")                           \
    X(MAX, "max")                             \
    X(MAXLENGTH, "maxlength")                 \
    X(MEDIA, "media")                         \
    X(MENU, "menu")                           \
    X(MENUITEM, "menuitem")                   \
    X(META, "meta")                           \
    X(METER, "meter")                         \
    X(METHOD, "method")                       \
    X(MFENCED, "mfenced")                     \
    X(MFRAC, "mfrac")                         \
    X(MGLYPH, "mglyph")                       \
    X(MI, "mi")                               \
    X(MIN, "min")                             \
    X(MINLENGTH, "minlength")                 \
    X(MN, "mn")                               \
    X(MO, "mo")                               \
    X(MOVER, "mover")                         \
    X(MPRESCRIPTS, "mprescripts")             \
    X(MROW, "mrow")                           \
    X(MS, "ms")                               \
    X(MSPACE, "mspace")                       \
    X(MSQRT, "msqrt")                         \
    X(MSTYLE, "mstyle")                       \
    X(MSUB, "msub")                           \
    X(MSUBSUP, "msubsup")                     \
    X(MSUP, "msup")                           \
    X(MTABLE, "mtable")                       \
    X(MTD, "mtd")                             \
    X(MTEXT, "mtext")                         \
    X(MTR, "mtr")                             \
    X(MULTIPLE, "multiple")                   \
    X(MUNDER, "munder")                       \
    X(MUNDEROVER, "munderover")               \
    X(MUTED, "muted")                         \
    X(NAME, "name")                           \
    X(NAV, "nav")                             \
    X(NOBR, "nobr")                           \
    X(NOEMBED, "noembed")                     \
    X(NOFRAMES, "noframes")                   \
    X(NOHREF, "nohref")                       \
    X(NOMODULE, "nomodule")                   \
    X(NONCE, "nonce")                         \
    X(NORESIZE, "noresize")                   \
    X(NOSCRIPT, "noscript")                   \
    X(NOSHADE, "noshade")                     \
    X(NOVALIDATE, "novalidate")               \
    X(NOWRAP, "nowrap")                       \
    X(OBJECT, "object")                       \
    X(OFFSET, "offset")                       \
    X(OL, "ol")                               \
    X(ONBLUR, "onblur")                       \
    X(ONCHANGE, "onchange")                   \
    X(ONCLICK, "onclick")                     \
    X(ONERROR, "onerror")                     \
    X(ONFOCUS, "onfocus")                     \
    X(ONINPUT, "oninput")                     \
    X(ONKEYDOWN, "onkeydown")                 \
    X(ONKEYPRESS, "onkeypress")               \
    X(ONKEYUP, "onkeyup")                     \
    X(ONLOAD, "onload")                       \
    X(ONMOUSEDOWN, "onmousedown")             \
    X(ONMOUSEOUT, "onmouseout")               \
    X(ONMOUSEOVER, "onmouseover")             \
    X(ONMOUSEUP, "onmouseup")                 \
    X(ONRESET, "onreset")                     \
    X(ONRESIZE, "onresize")                   \
    X(ONSCROLL, "onscroll")                   \
    X(ONSELECT, "onselect")                   \
    X(ONSUBMIT, "onsubmit")                   \
    X(ONUNLOAD, "onunload")                   \
    X(OPACITY, "opacity")                     \
    X(OPEN, "open")                           \
    X(OPTGROUP, "optgroup")                   \
    X(OPTIMUM, "optimum")                     \
    X(OPTION, "option")                       \
    X(OUTPUT, "output")                       \
    X(P, "p")                                 \
    X(PARAM, "param")                         \
    X(PATH, "path")                           \
    X(PATTERN, "pattern")                     \
    X(PICTURE, "picture")                     \
    X(PING, "ping")                           \
    X(PLACEHOLDER, "placeholder")             \
    X(PLAINTEXT, "plaintext")                 \
    X(PLAYSINLINE, "playsinline")             \
    X(POINTS, "points")                       \
    X(POLYGON, "polygon")                     \
    X(POLYLINE, "polyline")                   \
    X(PORTAL, "portal")                       \
    X(POSTER, "poster")                       \
    X(PRE, "pre")                             \
    X(PREFIX, "prefix")                       \
    X(PRELOAD, "preload")                     \
    X(PROFILE, "profile")                     \
    X(PROGRESS, "progress")                   \
    X(PROMPT, "prompt")                       \
    X(PROPERTY, "property")                   \
    X(Q, "q")                                 \
    X(R, "r")                                 \
    X(RADIALGRADIENT_CAMEL, "radialGradient") \
    X(RADIALGRADIENT, "radialgradient")       \
    X(RB, "rb")                               \
    X(READONLY, "readonly")                   \
    X(RECT, "rect")                           \
    X(REFERRERPOLICY, "referrerpolicy")       \
    X(REL, "rel")                             \
    X(REQUIRED, "required")                   \
    X(RESOURCE, "resource")                   \
    X(REV, "rev")                             \
    X(REVERSED, "reversed")                   \
    X(ROLE, "role")                           \
    X(ROWS, "rows")                           \
    X(ROWSPAN, "rowspan")                     \
    X(RP, "rp")                               \
    X(RT, "rt")                               \
    X(RTC, "rtc")                             \
    X(RUBY, "ruby")                           \
    X(RULES, "rules")                         \
    X(RX, "rx")                               \
    X(RY, "ry")                               \
    X(S, "s")                                 \
    X(SAMP, "samp")                           \
    X(SANDBOX, "sandbox")                     \
    X(SCHEME, "scheme")                       \
    X(SCOPE, "scope")                         \
    X(SCRIPT, "script")                       \
    X(SCROLLING, "scrolling")                 \
    X(SEARCH, "search")                       \
    X(SECTION, "section")                     \
    X(SELECT, "select")                       \
    X(SELECTED, "selected")                   \
    X(SELECTEDCONTENT, "selectedcontent")     \
    X(SEMANTICS, "semantics")                 \
    X(SET, "set")                             \
    X(SHAPE, "shape")                         \
    X(SIZE, "size")                           \
    X(SIZES, "sizes")                         \
    X(SLOT, "slot")                           \
    X(SMALL, "small")                         \
    X(SOURCE, "source")                       \
    X(SPAN, "span")                           \
    X(SPELLCHECK, "spellcheck")               \
    X(SRC, "src")                             \
    X(SRCDOC, "srcdoc")                       \
    X(SRCLANG, "srclang")                     \
    X(SRCSET, "srcset")                       \
    X(STANDBY, "standby")                     \
    X(START, "start")                         \
    X(STEP, "step")                           \
    X(STOP, "stop")                           \
    X(STOP_COLOR, "stop-color")               \
    X(STRIKE, "strike")                       \
    X(STROKE, "stroke")                       \
    X(STROKE_LINECAP, "stroke-linecap")       \
    X(STROKE_LINEJOIN, "stroke-linejoin")     \
    X(STROKE_WIDTH, "stroke-width")           \
    X(STRONG, "strong")                       \
    X(STYLE, "style")                         \
    X(SUB, "sub")                             \
    X(SUMMARY, "summary")                     \
    X(SUP, "sup")                             \
    X(SVG, "svg")                             \
    X(SWITCH, "switch")                       \
    X(SYMBOL, "symbol")                       \
    X(TABINDEX, "tabindex")                   \
    X(TABLE, "table")                         \
    X(TARGET, "target")                       \
    X(TBODY, "tbody")                         \
    X(TD, "td")                               \
    X(TEMPLATE, "template")                   \
    X(TEXT, "text")                           \
    X(TEXTPATH_CAMEL, "textPath")             \
    X(TEXTAREA, "textarea")                   \
    X(TEXTPATH, "textpath")                   \
    X(TFOOT, "tfoot")                         \
    X(TH, "th")                               \
    X(THEAD, "thead")                         \
    X(TIME, "time")                           \
    X(TITLE, "title")                         \
    X(TOPMARGIN, "topmargin")                 \
    X(TR, "tr")                               \
    X(TRACK, "track")                         \
    X(TRANSFORM, "transform")                 \
    X(TRANSLATE, "translate")                 \
    X(TSPAN, "tspan")                         \
    X(TT, "tt")                               \
    X(TYPE, "type")                           \
    X(TYPEOF, "typeof")                       \
    X(U, "u")                                 \
    X(UL, "ul")                               \
    X(USE, "use")                             \
    X(USEMAP, "usemap")                       \
    X(VALIGN, "valign")                       \
    X(VALUE, "value")                         \
    X(VALUETYPE, "valuetype")                 \
    X(VAR, "var")                             \
    X(VERSION, "version")                     \
    X(VIDEO, "video")                         \
    X(VIEW, "view")                           \
    X(VIEWBOX_CAMEL, "viewBox")               \
    X(VIEWBOX, "viewbox")                     \
    X(VLINK, "vlink")                         \
    X(VOCAB, "vocab")                         \
    X(VSPACE, "vspace")                       \
    X(WBR, "wbr")                             \
    X(WIDTH, "width")                         \
    X(WRAP, "wrap")                           \
    X(X, "x")                                 \
    X(X1, "x1")                               \
    X(X2, "x2")                               \
    X(XLINK_HREF, "xlink:href")               \
    X(XLINK_TITLE, "xlink:title")             \
    X(XML_LANG, "xml:lang")                   \
    X(XMLNS, "xmlns")                         \
    X(XMLNS_XLINK, "xmlns:xlink")             \
    X(XMP, "xmp")                             \
    X(Y, "y")                                 \
    X(Y1, "y1")                               \
    X(Y2, "y2")

enum cel__name {
    CEL__NAME_NONE,
#define X(constant, text) CEL__NAME_##constant,
    CEL__NAMES(X)
#undef X
        CEL__NAME_FIXED /* the first number that a document gives out itself */
};

struct cel__name_entry {
    uint32_t hash;
    uint32_t at; /* in `bytes` */
    uint32_t len;
};

struct cel__names {
    struct cel__name_entry *entries; /* by number, from CEL__NAME_FIXED */
    uint32_t count;                  /* of `entries` */
    uint32_t cap;
    uint32_t *slots; /* open addressing, numbers; 0 is free */
    uint32_t slot_mask;
    struct cel__buf bytes;
};

/* Takes no memory before the first name that is not fixed. */
void cel__names_init(struct cel__names *n);
void cel__names_fini(struct cel__names *n);
/* -> the name's number, made when it is new; CEL__NAME_NONE when memory is out. */
uint32_t cel__names_add(struct cel__names *n, struct cel_str name);
/* -> the name's number, or CEL__NAME_NONE when the document has no such name. */
uint32_t cel__names_find(const struct cel__names *n, struct cel_str name);
struct cel_str cel__names_text(const struct cel__names *n, uint32_t name);

/* A fixed name as two words, the bytes behind its end zero. */
struct cel__name_words {
    uint64_t low;
    uint64_t high;
};

#define CEL__NAME_SLOTS_BITS 13
extern struct cel__name_words cel__name_words[CEL__NAME_FIXED];
extern uint16_t cel__name_slots[1 << CEL__NAME_SLOTS_BITS];

/* No two fixed names share a slot: the factor was searched for. A name that is added may need
 * another, which the first use of any document says. */
static inline uint32_t cel__name_slot(uint64_t low, uint64_t high)
{
    uint64_t mixed = (low ^ high * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0x5d390bb5b5b66b0b);

    return (uint32_t)(mixed >> (64 - CEL__NAME_SLOTS_BITS));
}

/* -> the fixed name of at most 16 bytes with these words, or CEL__NAME_NONE. */
static inline uint32_t cel__names_fixed(uint64_t low, uint64_t high)
{
    uint32_t name = cel__name_slots[cel__name_slot(low, high)];
    const struct cel__name_words *w = &cel__name_words[name];

    return ((w->low ^ low) | (w->high ^ high)) == 0 ? name : (uint32_t)CEL__NAME_NONE;
}

/* The number of a fixed name of any spelling, or CEL__NAME_NONE. */
uint32_t cel__names_find_fixed(struct cel_str name);
/* By fixed name: what cel__names_hash gives for its text. */
extern uint64_t cel__name_hashes[CEL__NAME_FIXED];
/* The same of any name. */
uint64_t cel__names_hash_of(const struct cel__names *n, uint32_t name);

/* Draws the key, once; called before the first hash by whatever keeps hashes. Any thread. */
void cel__names_ready(void);
/* Keyed hash of bytes: fast for short ones. Any thread. */
uint64_t cel__names_hash(struct cel_str s);

#endif
