"""Which texts are consent notices, and which look like one and are none. Wording as data.

The expressions are read by Python and by JavaScript alike (flags `iu`): no look-behind, no named groups.
"""

from __future__ import annotations

import re

COOKIES = (
    r"cookie|ciastecz|\bkakor\b|evästei|\bsüti|çerez|クッキー|쿠키|куки|informasjonskapsl|"
    r"store and\/?(or)? access information|stockent et\/?(ou)?|informationen auf (einem|ihrem) gerät"
)
"""Says cookie, or what the transparency framework says in its place."""

DATA = (
    r"\bconsent\b|\bprivacy\b|personal (data|information)|\btracking\b|\btrackers?\b|\bgdpr\b|\bccpa\b|"
    r"datenschutz|einwilligung|zustimmung|personenbezogen|dsgvo|\brgpd\b|consentement|vie privée|"
    r"données (à caractère )?personnel|"
    r"traceurs|privacidad|consentimiento|datos personales|dati personali|consenso|riservatezza|toestemming|"
    r"persoonsgegevens|persoonlijke gegevens|prywatnoś|\bzgod[ayęz]|danych osobowych|privacidade|dados pessoais|"
    r"personuppgift|samtyck|integritet|samtykke|persondata|personopplysning|osobní(ch)? údaj|soukromí|souhlas|"
    r"tietosuoj|suostumu|adatvédel|hozzájárul|confidențialitate|consimțământ|gizlilik|kişisel veri|"
    r"персональн|конфиденциальн|απόρρητ|συγκατάθεσ|個人情報|プライバシー|同意|隐私|个人信息|隱私|개인정보|"
    r"enable some (additional )?services|additional services|zusätzliche dienste|informations? (personnelle|"
    r"que nous collect)|"
    r"confidentialité|información personal|información que (recopil|recog)|informazioni personali|"
    r"informazioni che raccogl|"
    r"persönliche[nr]? (daten|informationen)|persoonlijke informatie|personlig information|"
    r"information(en)? (that )?we collect|"
    r"(data|information) (about|from) your (device|visit)|henkilötieto|személyes|informații personale|personopplysn"
)
"""Says privacy or consent without the word cookie: enough only where the buttons are plain."""

USES = (
    r"\b(we|our|us|site|website|partners?|page|app)\b.{0,200}(cookie|informat|data|tracking|technolog|services)|"
    r"(cookie).{0,200}\b(we|our|us|site|website|partners?|your|you)\b|"
    r"\b(wir|uns(ere)?|seite|website|webseite|partner)\b|\b(nous|nos|site|partenaires)\b|\b(nosotros|utilizamos|"
    r"usamos|"
    r"sitio|web|socios|nuestr)|\b(utilizziamo|usiamo|sito|noi|nostri)\b|\b(wij|we|deze|site|onze|website)\b|"
    r"\b(używamy|stron[aęy]|nasz|serwis|witryn|korzystamy|wykorzystuj)|\b(usamos|utilizamos|nós|nosso|este site|"
    r"website)\b|"
    r"\b(vi|vår[at]?|webbplats|hjemmeside|vores|webside)\b|\b(používáme|stránk|web|tento)|"
    r"[ぁ-んァ-ヶ一-龠가-힣ะ-์א-ת؀-ۿ]|"
    r"[а-яё]{3}|[α-ω]{3}|\b(käytämme|sivusto)|\b(használ|weboldal)|\b(folosim|site)|\b(kullan|sitemiz)"
)
"""Speaks of itself as somebody who uses them, which a recipe does not."""

AGE = (
    r"age (verification|check|gate|confirm|restrict)|verify your age|are you (over|at least|of legal|1[68]|21|"
    r"old enough)|"
    r"years? (old|of age) or|\b(over|under|at least|above) (1[68]|21)\b|\b(1[68]|21) ?\+|(1[68]|21) years|"
    r"legal (drinking )?age|"
    r"date of birth|birth ?date|adults? only|altersprüfung|altersverifi|altersabfrage|mindestens (1[68]) jahre|"
    r"über (1[68])\b|"
    r"volljährig|(1[68]) ans\b|majeure?\b|mayor(es)? de (edad|18)|(1[68]) años|maggiorenne|(1[68]) anni|(1[68]) jaar|"
    r"pełnoletni|(1[68]) lat\b|(1[68]) år\b|(1[68]) let\b|maior(es)? de (idade|18)|(1[68]) anos|(1[68]|20)歳|"
    r"年齢確認|만 ?19세"
)

NEWSLETTER = (
    r"newsletter|sign (me|up)|mailing list|your (e-?mail|inbox)|e-?mail address|\d+ ?% (off|rabatt|de (réduction|"
    r"descuento))|"
    r"join our|suscríbete|inscrivez|iscriviti|inschrijv|zapisz się|nyhetsbrev|nyhedsbrev|ニュースレター|"
    r"メールマガジン"
)

POLICY_PAGE = (
    r"(cookies?|privacy|consent|datenschutz|confidentialité|privacidad)[-_ ]?(policy|notice|statement|declaration|"
    r"richtlinie|erklärung|erklaerung|hinweise)|datenschutz(erkl|hinweis)|politique[-_ ](de|relative|des|cookies)|"
    r"pol[ií]tica[-_ ]de[-_ ](cookies|privac)|(cookie|privacy)(beleid|verklaring)|polityka[-_ ](cookies|prywat)|"
    r"informativa|impressum|クッキーポリシー|プライバシーポリシー|cookiepolicy|cookie-?richtlinie"
)
"""Of a page's address, title or first headline: a page *about* cookies."""

WITHDRAW = (
    r"withdraw|revoke|change your consent|widerruf|retirer|révoquer|retirar el|revocar|revoca|intrekken|wycofaj|"
    r"återkalla|"
    r"tilbagetræk|odvolat|撤回"
)

WALL = (
    r"subscri|abonn|\babo\b|ad[- ]free|without (ads|advertis|tracking)|werbefrei|ohne (werbung|tracking)|"
    r"sans publicité|"
    r"sin publicidad|senza pubblicità|zonder advertenties|bez reklam|[€$£]\s?\d|\d\s?(€|zł|kr\b)"
)
"""Consent or pay."""


def is_about(expression: str, text: str) -> bool:
    return re.search(expression, text, re.IGNORECASE) is not None
