/* SPDX-License-Identifier: MIT */
/* Which doctypes ask for quirks. */
#include "base/cc.h"
#include "base/str.h"
#include "html/parser_state.h"

/* Beginnings of public identifiers, in any case. */
static const struct cel_str quirky[] = {
    CEL_LIT("+//Silmaril//dtd html Pro v0r11 19970101//"),
    CEL_LIT("-//AS//DTD HTML 3.0 asWedit + extensions//"),
    CEL_LIT("-//AdvaSoft Ltd//DTD HTML 3.0 asWedit + extensions//"),
    CEL_LIT("-//IETF//DTD HTML 2.0 Level 1//"),
    CEL_LIT("-//IETF//DTD HTML 2.0 Level 2//"),
    CEL_LIT("-//IETF//DTD HTML 2.0 Strict Level 1//"),
    CEL_LIT("-//IETF//DTD HTML 2.0 Strict Level 2//"),
    CEL_LIT("-//IETF//DTD HTML 2.0 Strict//"),
    CEL_LIT("-//IETF//DTD HTML 2.0//"),
    CEL_LIT("-//IETF//DTD HTML 2.1E//"),
    CEL_LIT("-//IETF//DTD HTML 3.0//"),
    CEL_LIT("-//IETF//DTD HTML 3.2 Final//"),
    CEL_LIT("-//IETF//DTD HTML 3.2//"),
    CEL_LIT("-//IETF//DTD HTML 3//"),
    CEL_LIT("-//IETF//DTD HTML Level 0//"),
    CEL_LIT("-//IETF//DTD HTML Level 1//"),
    CEL_LIT("-//IETF//DTD HTML Level 2//"),
    CEL_LIT("-//IETF//DTD HTML Level 3//"),
    CEL_LIT("-//IETF//DTD HTML Strict Level 0//"),
    CEL_LIT("-//IETF//DTD HTML Strict Level 1//"),
    CEL_LIT("-//IETF//DTD HTML Strict Level 2//"),
    CEL_LIT("-//IETF//DTD HTML Strict Level 3//"),
    CEL_LIT("-//IETF//DTD HTML Strict//"),
    CEL_LIT("-//IETF//DTD HTML//"),
    CEL_LIT("-//Metrius//DTD Metrius Presentational//"),
    CEL_LIT("-//Microsoft//DTD Internet Explorer 2.0 HTML Strict//"),
    CEL_LIT("-//Microsoft//DTD Internet Explorer 2.0 HTML//"),
    CEL_LIT("-//Microsoft//DTD Internet Explorer 2.0 Tables//"),
    CEL_LIT("-//Microsoft//DTD Internet Explorer 3.0 HTML Strict//"),
    CEL_LIT("-//Microsoft//DTD Internet Explorer 3.0 HTML//"),
    CEL_LIT("-//Microsoft//DTD Internet Explorer 3.0 Tables//"),
    CEL_LIT("-//Netscape Comm. Corp.//DTD HTML//"),
    CEL_LIT("-//Netscape Comm. Corp.//DTD Strict HTML//"),
    CEL_LIT("-//O'Reilly and Associates//DTD HTML 2.0//"),
    CEL_LIT("-//O'Reilly and Associates//DTD HTML Extended 1.0//"),
    CEL_LIT("-//O'Reilly and Associates//DTD HTML Extended Relaxed 1.0//"),
    CEL_LIT("-//SQ//DTD HTML 2.0 HoTMetaL + extensions//"),
    CEL_LIT("-//SoftQuad Software//DTD HoTMetaL PRO 6.0::19990601::extensions to HTML 4.0//"),
    CEL_LIT("-//SoftQuad//DTD HoTMetaL PRO 4.0::19971010::extensions to HTML 4.0//"),
    CEL_LIT("-//Spyglass//DTD HTML 2.0 Extended//"),
    CEL_LIT("-//Sun Microsystems Corp.//DTD HotJava HTML//"),
    CEL_LIT("-//Sun Microsystems Corp.//DTD HotJava Strict HTML//"),
    CEL_LIT("-//W3C//DTD HTML 3 1995-03-24//"),
    CEL_LIT("-//W3C//DTD HTML 3.2 Draft//"),
    CEL_LIT("-//W3C//DTD HTML 3.2 Final//"),
    CEL_LIT("-//W3C//DTD HTML 3.2//"),
    CEL_LIT("-//W3C//DTD HTML 3.2S Draft//"),
    CEL_LIT("-//W3C//DTD HTML 4.0 Frameset//"),
    CEL_LIT("-//W3C//DTD HTML 4.0 Transitional//"),
    CEL_LIT("-//W3C//DTD HTML Experimental 19960712//"),
    CEL_LIT("-//W3C//DTD HTML Experimental 970421//"),
    CEL_LIT("-//W3C//DTD W3 HTML//"),
    CEL_LIT("-//W3O//DTD W3 HTML 3.0//"),
    CEL_LIT("-//WebTechs//DTD Mozilla HTML 2.0//"),
    CEL_LIT("-//WebTechs//DTD Mozilla HTML//"),
};

static bool begins(struct cel_str s, struct cel_str prefix)
{
    return s.len >= prefix.len && cel__str_ieq((struct cel_str){s.ptr, prefix.len}, prefix);
}

static bool is_quirky(struct cel_str id)
{
    if (cel__str_ieq(id, CEL_LIT("-//W3O//DTD W3 HTML Strict 3.0//EN//")) ||
        cel__str_ieq(id, CEL_LIT("-/W3C/DTD HTML 4.0 Transitional/EN")) ||
        cel__str_ieq(id, CEL_LIT("HTML")))
        return true;
    for (size_t i = 0; i < cel__countof(quirky); i++)
        if (begins(id, quirky[i]))
            return true;
    return false;
}

enum cel__quirks cel__quirks_of(const struct cel__token *doctype)
{
    struct cel_str id = doctype->public_id.ptr != NULL ? doctype->public_id : CEL_LIT("");
    bool is_html401 = begins(id, CEL_LIT("-//W3C//DTD HTML 4.01 Frameset//")) ||
                      begins(id, CEL_LIT("-//W3C//DTD HTML 4.01 Transitional//"));

    if (doctype->force_quirks || doctype->text.ptr == NULL ||
        !cel__str_eq(doctype->text, CEL_LIT("html")) || is_quirky(id) ||
        (is_html401 && doctype->system_id.ptr == NULL) ||
        (doctype->system_id.ptr != NULL &&
         cel__str_ieq(doctype->system_id,
                      CEL_LIT("http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd"))))
        return CEL__QUIRKS_FULL;
    if (is_html401 || begins(id, CEL_LIT("-//W3C//DTD XHTML 1.0 Frameset//")) ||
        begins(id, CEL_LIT("-//W3C//DTD XHTML 1.0 Transitional//")))
        return CEL__QUIRKS_LIMITED;
    return CEL__QUIRKS_NONE;
}
