/* capability: the table of announced capabilities. What stands here is whole. */
#include "imap/capability.h"

enum { BEFORE = IMAP_CAP_PREAUTH, AFTER = IMAP_CAP_POSTAUTH, ALWAYS = BEFORE | AFTER };

static const struct {
    str name;
    unsigned when;
} CAPABILITIES[] = {
    {S("IMAP4rev1"), ALWAYS},                     /* RFC 3501 */
    {S("IMAP4rev2"), ALWAYS},                     /* RFC 9051 */
    {S("LITERAL+"), ALWAYS},                      /* RFC 7888 */
    {S("SASL-IR"), BEFORE},                       /* RFC 4959 */
    {S("ID"), ALWAYS},                            /* RFC 2971 */
    {S("ENABLE"), ALWAYS},                        /* RFC 5161 */
    {S("IDLE"), ALWAYS},                          /* RFC 2177 */
    {S("LANGUAGE"), ALWAYS},                      /* RFC 5255 §3 */
    {S("UTF8=ACCEPT"), ALWAYS},                   /* RFC 9755 */
    {S("STARTTLS"), IMAP_CAP_STARTTLS},           /* RFC 9051 §6.2.1 */
    {S("LOGINDISABLED"), IMAP_CAP_LOGINDISABLED}, /* RFC 9051 §6.2.3 */
    {S("NAMESPACE"), AFTER},                      /* RFC 2342 */
    {S("UIDPLUS"), AFTER},                        /* RFC 4315 */
    {S("MOVE"), AFTER},                           /* RFC 6851 */
    {S("SPECIAL-USE"), AFTER},                    /* RFC 6154 */
    {S("CREATE-SPECIAL-USE"), AFTER},             /* RFC 6154 */
    {S("LIST-EXTENDED"), AFTER},                  /* RFC 5258 */
    {S("CHILDREN"), AFTER},                       /* RFC 3348 */
    {S("UNSELECT"), AFTER},                       /* RFC 3691 */
    {S("QUOTA"), AFTER},                          /* RFC 9208, RFC 2087 */
    {S("QUOTA=RES-STORAGE"), AFTER},              /* RFC 9208 §5.1 */
    {S("QUOTA=RES-MESSAGE"), AFTER},              /* RFC 9208 §5.2 */
    {S("CONDSTORE"), AFTER},                      /* RFC 7162 */
    {S("QRESYNC"), AFTER},                        /* RFC 7162 */
    {S("ESEARCH"), AFTER},                        /* RFC 4731 */
    {S("SEARCHRES"), AFTER},                      /* RFC 5182 */
    {S("MULTISEARCH"), AFTER},                    /* RFC 7377 */
    {S("WITHIN"), AFTER},                         /* RFC 5032 */
    {S("SEARCH=FUZZY"), AFTER},                   /* RFC 6203 */
    {S("PARTIAL"), AFTER},                        /* RFC 9394 */
    {S("SAVEDATE"), AFTER},                       /* RFC 8514 */
    {S("SORT"), AFTER},                           /* RFC 5256 */
    {S("SORT=DISPLAY"), AFTER},                   /* RFC 5957 */
    {S("ESORT"), AFTER},                          /* RFC 5267 */
    {S("CONTEXT=SEARCH"), AFTER},                 /* RFC 5267 */
    {S("CONTEXT=SORT"), AFTER},                   /* RFC 5267 */
    {S("THREAD=ORDEREDSUBJECT"), AFTER},          /* RFC 5256 */
    {S("THREAD=REFERENCES"), AFTER},              /* RFC 5256 */
    {S("THREAD=REFS"), AFTER},                    /* as Dovecot and Cyrus have it */
    {S("I18NLEVEL=1"), AFTER},                    /* RFC 5255 */
    {S("LIST-STATUS"), AFTER},                    /* RFC 5819 */
    {S("STATUS=SIZE"), AFTER},                    /* RFC 8438 */
    {S("METADATA"), AFTER},                       /* RFC 5464 */
    {S("LIST-METADATA"), AFTER},                  /* RFC 9590 */
    {S("BINARY"), AFTER},                         /* RFC 3516 */
    {S("MULTIAPPEND"), AFTER},                    /* RFC 3502 */
    {S("CATENATE"), AFTER},                       /* RFC 4469 */
    {S("REPLACE"), AFTER},                        /* RFC 8508 */
    {S("UIDONLY"), AFTER},                        /* RFC 9586 */
    {S("UIDBATCHES"), AFTER},                     /* RFC 10022 */
    {S("INPROGRESS"), AFTER},                     /* RFC 9585 */
    {S("NOTIFY"), AFTER},                         /* RFC 5465 */
    {S("OBJECTID"), AFTER},                       /* RFC 8474 */
    {S("PREVIEW"), AFTER},                        /* RFC 8970 */
    {S("COMPRESS=DEFLATE"), AFTER},               /* RFC 4978 */
    {S("UNAUTHENTICATE"), IMAP_CAP_UNAUTH},       /* RFC 8437 */
    {S("ACL"), IMAP_CAP_SHARED},                  /* RFC 4314 */
    {S("RIGHTS=texk"), IMAP_CAP_SHARED},          /* RFC 4314 §2.2 */
    {S("LIST-MYRIGHTS"), IMAP_CAP_SHARED},        /* RFC 8440 */
};

void imap_capability_put(struct buf *out, unsigned when)
{
    bool first = true;
    for (size_t i = 0; i < sizeof CAPABILITIES / sizeof *CAPABILITIES; i++) {
        if (!(CAPABILITIES[i].when & when))
            continue;
        if (!first)
            buf_putc(out, ' ');
        first = false;
        buf_puts(out, CAPABILITIES[i].name);
    }
}
