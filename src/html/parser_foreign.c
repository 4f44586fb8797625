/* SPDX-License-Identifier: MIT */
/* SVG and MathML: when a token is theirs, and how their names are spelt. */
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/parser_state.h"

struct spelling {
    const char *lower;
    const char *proper;
};

/* Sorted by the lower case. */
static const struct spelling svg_tags[] = {
    {"altglyph", "altGlyph"},
    {"altglyphdef", "altGlyphDef"},
    {"altglyphitem", "altGlyphItem"},
    {"animatecolor", "animateColor"},
    {"animatemotion", "animateMotion"},
    {"animatetransform", "animateTransform"},
    {"clippath", "clipPath"},
    {"feblend", "feBlend"},
    {"fecolormatrix", "feColorMatrix"},
    {"fecomponenttransfer", "feComponentTransfer"},
    {"fecomposite", "feComposite"},
    {"feconvolvematrix", "feConvolveMatrix"},
    {"fediffuselighting", "feDiffuseLighting"},
    {"fedisplacementmap", "feDisplacementMap"},
    {"fedistantlight", "feDistantLight"},
    {"fedropshadow", "feDropShadow"},
    {"feflood", "feFlood"},
    {"fefunca", "feFuncA"},
    {"fefuncb", "feFuncB"},
    {"fefuncg", "feFuncG"},
    {"fefuncr", "feFuncR"},
    {"fegaussianblur", "feGaussianBlur"},
    {"feimage", "feImage"},
    {"femerge", "feMerge"},
    {"femergenode", "feMergeNode"},
    {"femorphology", "feMorphology"},
    {"feoffset", "feOffset"},
    {"fepointlight", "fePointLight"},
    {"fespecularlighting", "feSpecularLighting"},
    {"fespotlight", "feSpotLight"},
    {"fetile", "feTile"},
    {"feturbulence", "feTurbulence"},
    {"foreignobject", "foreignObject"},
    {"glyphref", "glyphRef"},
    {"lineargradient", "linearGradient"},
    {"radialgradient", "radialGradient"},
    {"textpath", "textPath"},
};

static const struct spelling svg_attrs[] = {
    {"attributename", "attributeName"},
    {"attributetype", "attributeType"},
    {"basefrequency", "baseFrequency"},
    {"baseprofile", "baseProfile"},
    {"calcmode", "calcMode"},
    {"clippathunits", "clipPathUnits"},
    {"diffuseconstant", "diffuseConstant"},
    {"edgemode", "edgeMode"},
    {"filterunits", "filterUnits"},
    {"glyphref", "glyphRef"},
    {"gradienttransform", "gradientTransform"},
    {"gradientunits", "gradientUnits"},
    {"kernelmatrix", "kernelMatrix"},
    {"kernelunitlength", "kernelUnitLength"},
    {"keypoints", "keyPoints"},
    {"keysplines", "keySplines"},
    {"keytimes", "keyTimes"},
    {"lengthadjust", "lengthAdjust"},
    {"limitingconeangle", "limitingConeAngle"},
    {"markerheight", "markerHeight"},
    {"markerunits", "markerUnits"},
    {"markerwidth", "markerWidth"},
    {"maskcontentunits", "maskContentUnits"},
    {"maskunits", "maskUnits"},
    {"numoctaves", "numOctaves"},
    {"pathlength", "pathLength"},
    {"patterncontentunits", "patternContentUnits"},
    {"patterntransform", "patternTransform"},
    {"patternunits", "patternUnits"},
    {"pointsatx", "pointsAtX"},
    {"pointsaty", "pointsAtY"},
    {"pointsatz", "pointsAtZ"},
    {"preservealpha", "preserveAlpha"},
    {"preserveaspectratio", "preserveAspectRatio"},
    {"primitiveunits", "primitiveUnits"},
    {"refx", "refX"},
    {"refy", "refY"},
    {"repeatcount", "repeatCount"},
    {"repeatdur", "repeatDur"},
    {"requiredextensions", "requiredExtensions"},
    {"requiredfeatures", "requiredFeatures"},
    {"specularconstant", "specularConstant"},
    {"specularexponent", "specularExponent"},
    {"spreadmethod", "spreadMethod"},
    {"startoffset", "startOffset"},
    {"stddeviation", "stdDeviation"},
    {"stitchtiles", "stitchTiles"},
    {"surfacescale", "surfaceScale"},
    {"systemlanguage", "systemLanguage"},
    {"tablevalues", "tableValues"},
    {"targetx", "targetX"},
    {"targety", "targetY"},
    {"textlength", "textLength"},
    {"viewbox", "viewBox"},
    {"viewtarget", "viewTarget"},
    {"xchannelselector", "xChannelSelector"},
    {"ychannelselector", "yChannelSelector"},
    {"zoomandpan", "zoomAndPan"},
};

static const struct {
    struct cel_str name;
    struct cel_str local;
    enum cel__ns ns;
} foreign_attrs[] = {
    {CEL_LIT("xlink:actuate"), CEL_LIT("actuate"), CEL__NS_XLINK},
    {CEL_LIT("xlink:arcrole"), CEL_LIT("arcrole"), CEL__NS_XLINK},
    {CEL_LIT("xlink:href"), CEL_LIT("href"), CEL__NS_XLINK},
    {CEL_LIT("xlink:role"), CEL_LIT("role"), CEL__NS_XLINK},
    {CEL_LIT("xlink:show"), CEL_LIT("show"), CEL__NS_XLINK},
    {CEL_LIT("xlink:title"), CEL_LIT("title"), CEL__NS_XLINK},
    {CEL_LIT("xlink:type"), CEL_LIT("type"), CEL__NS_XLINK},
    {CEL_LIT("xml:lang"), CEL_LIT("lang"), CEL__NS_XML},
    {CEL_LIT("xml:space"), CEL_LIT("space"), CEL__NS_XML},
    {CEL_LIT("xmlns"), CEL_LIT("xmlns"), CEL__NS_XMLNS},
    {CEL_LIT("xmlns:xlink"), CEL_LIT("xlink"), CEL__NS_XMLNS},
};

static int compare(const char *lower, struct cel_str name)
{
    int r = strncmp(lower, name.ptr, name.len);

    return r != 0 ? r : lower[name.len] != '\0';
}

static uint32_t add_name(struct cel__parser *p, struct cel_str text)
{
    uint32_t name = cel__names_add(&p->build.tree.names, text);

    if (name == CEL__NAME_NONE)
        p->build.failed = p->build.is_full = true;
    return name;
}

static uint32_t proper(struct cel__parser *p, uint32_t name, const struct spelling *list, size_t n)
{
    struct cel_str text = cel__names_text(&p->build.tree.names, name);
    size_t low = 0;

    while (low < n) {
        size_t middle = (low + n) / 2;
        int r = compare(list[middle].lower, text);

        if (r == 0)
            return add_name(p, cel__str(list[middle].proper));
        if (r < 0)
            low = middle + 1;
        else
            n = middle;
    }
    return name;
}

static uint32_t proper_attr(struct cel__parser *p, uint32_t name, enum cel__ns ns)
{
    if (ns == CEL__NS_SVG)
        return proper(p, name, svg_attrs, cel__countof(svg_attrs));
    if (name == CEL__NAME_DEFINITIONURL)
        return add_name(p, CEL_LIT("definitionURL"));
    return name;
}

static void add_attr(struct cel__parser *p, uint32_t node, const struct cel__token_attr *a,
                     enum cel__ns ns)
{
    struct cel_str text = cel__names_text(&p->build.tree.names, a->name);

    if (text.len > 4 && text.ptr[0] == 'x')
        for (size_t i = 0; i < cel__countof(foreign_attrs); i++)
            if (cel__str_eq(text, foreign_attrs[i].name)) {
                cel__build_attr(&p->build, node, add_name(p, foreign_attrs[i].local),
                                foreign_attrs[i].ns, a->value);
                return;
            }
    cel__build_attr(&p->build, node, proper_attr(p, a->name, ns), CEL__NS_NONE, a->value);
}

static bool is_html_encoding(const struct cel__token *token)
{
    for (uint32_t i = 0; i < token->attr_count; i++)
        if (token->attrs[i].name == CEL__NAME_ENCODING)
            return cel__str_ieq(token->attrs[i].value, CEL_LIT("text/html")) ||
                   cel__str_ieq(token->attrs[i].value, CEL_LIT("application/xhtml+xml"));
    return false;
}

static unsigned foreign_flags(uint32_t lower, enum cel__ns ns, const struct cel__token *token)
{
    unsigned special = CEL__TAG_SPECIAL | CEL__TAG_SCOPE;

    switch (lower) {
    case CEL__NAME_MI:
    case CEL__NAME_MO:
    case CEL__NAME_MN:
    case CEL__NAME_MS:
    case CEL__NAME_MTEXT:
        return ns == CEL__NS_MATHML ? special | CEL__TAG_TEXT_POINT : 0;
    case CEL__NAME_ANNOTATION_XML:
        if (ns != CEL__NS_MATHML)
            return 0;
        return special | (token != NULL && is_html_encoding(token) ? CEL__TAG_HTML_POINT : 0);
    case CEL__NAME_FOREIGNOBJECT:
    case CEL__NAME_DESC:
    case CEL__NAME_TITLE:
        return ns == CEL__NS_SVG ? special | CEL__TAG_HTML_POINT : 0;
    default:
        return 0;
    }
}

unsigned cel__parser_foreign_flags(uint32_t lower, enum cel__ns ns)
{
    return foreign_flags(lower, ns, NULL);
}

void cel__parser_insert_foreign(struct cel__parser *p, const struct cel__token *token,
                                enum cel__ns ns)
{
    uint32_t name =
        ns == CEL__NS_SVG ? proper(p, token->name, svg_tags, cel__countof(svg_tags)) : token->name;
    uint32_t node;

    cel__parser_make_way(p);
    node = cel__build_element(&p->build, cel__parser_place(p, cel__parser_current(p)), name, ns);
    if (node == 0)
        return;
    for (uint32_t i = 0; i < token->attr_count; i++)
        add_attr(p, node, &token->attrs[i], ns);
    cel__parser_opened(p, node);
    if (token->is_self_closing) {
        p->is_acknowledged = true;
        cel__parser_closed(p, node);
        return;
    }
    cel__parser_push(p, (struct cel__open){.node = node,
                                           .inside = node,
                                           .name = name,
                                           .lower = token->name,
                                           .flags = (uint16_t)foreign_flags(token->name, ns, token),
                                           .ns = (uint8_t)ns});
}

bool cel__parser_is_for_foreign(const struct cel__open *o, const struct cel__token *token)
{
    bool is_start = token->kind == CEL__TOKEN_START, is_text = token->kind == CEL__TOKEN_TEXT;

    if (token->kind == CEL__TOKEN_EOF)
        return false;
    if ((o->flags & CEL__TAG_TEXT_POINT) != 0 &&
        (is_text ||
         (is_start && token->name != CEL__NAME_MGLYPH && token->name != CEL__NAME_MALIGNMARK)))
        return false;
    if (o->ns == CEL__NS_MATHML && o->lower == CEL__NAME_ANNOTATION_XML && is_start &&
        token->name == CEL__NAME_SVG)
        return false;
    return (o->flags & CEL__TAG_HTML_POINT) == 0 || !(is_start || is_text);
}

static void foreign_text(struct cel__parser *p, const struct cel__token *token)
{
    if (!token->is_null) {
        if (cel__parser_blanks(token->text) < token->text.len)
            p->frameset_ok = false;
        cel__parser_insert_text(p, token->text);
        return;
    }
    cel__parser_error_each(p, CEL__ERROR_NULL_IN_FOREIGN_CONTENT, token->text);
    for (size_t i = 0; i < token->text.len; i++)
        cel__parser_insert_text(p, CEL_LIT("\xef\xbf\xbd"));
}

static bool is_breakout(const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_END)
        return token->name == CEL__NAME_BR || token->name == CEL__NAME_P;
    if (token->name != CEL__NAME_FONT)
        return (cel__tag_flags(token->name) & CEL__TAG_BREAKOUT) != 0;
    for (uint32_t i = 0; i < token->attr_count; i++)
        if (token->attrs[i].name == CEL__NAME_COLOR || token->attrs[i].name == CEL__NAME_FACE ||
            token->attrs[i].name == CEL__NAME_SIZE)
            return true;
    return false;
}

static bool is_home(const struct cel__open *o)
{
    return o->ns == CEL__NS_HTML || (o->flags & (CEL__TAG_TEXT_POINT | CEL__TAG_HTML_POINT)) != 0;
}

/* The token as HTML, whatever the current node is. */
static bool by_mode(struct cel__parser *p, const struct cel__token *token)
{
    return cel__parser_by(p, p->mode, token);
}

static bool foreign_end(struct cel__parser *p, const struct cel__token *token)
{
    if (cel__parser_current(p)->lower != token->name)
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
    for (uint32_t i = p->stack_len - 1; i > 0; i--) {
        if (p->stack[i].lower == token->name) {
            cel__parser_pop_to_length(p, i);
            return false;
        }
        if (p->stack[i - 1].ns == CEL__NS_HTML)
            return by_mode(p, token);
    }
    return false;
}

bool cel__mode_foreign(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_TEXT:
        foreign_text(p, token);
        return false;
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_START:
    case CEL__TOKEN_END:
        if (is_breakout(token)) {
            cel__parser_error(p, CEL__ERROR_HTML_ELEMENT_IN_FOREIGN_CONTENT);
            while (!is_home(cel__parser_current(p)))
                cel__parser_pop(p);
            return by_mode(p, token);
        }
        if (token->kind == CEL__TOKEN_END)
            return foreign_end(p, token);
        cel__parser_insert_foreign(p, token, (enum cel__ns)cel__parser_adjusted(p)->ns);
        return false;
    default: /* a doctype */
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
        return false;
    }
}
