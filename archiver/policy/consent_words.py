"""What the buttons of consent notices say, in the languages of the web: vocabulary only, read by `policy.consent`.

A phrase is understood when *every* word of it is known here: "reject all" is a refusal, "reject and subscribe" is not
understood, and what is not understood is never pressed. Words are lower case, without punctuation (`normal`), longest
first, so that "do not accept" is one word of the class refuse. Languages are read together; a word that means two
things in two languages has the class that presses less.
"""

from __future__ import annotations

from collections.abc import Mapping

from archiver.policy.consent_vocabulary import Word, words
from archiver.policy.consent_words_more import MORE, PHRASES

__all__ = ["LANGUAGES", "PAY", "PHRASES", "Word"]

LANGUAGES: Mapping[str, Mapping[Word, tuple[str, ...]]] = {
    "en": words(
        refuse="reject|rejects|decline|declines|refuse|deny|disallow|disagree|do not accept|don t accept|"
        "do not agree|don t agree|do not allow|don t allow|do not consent|don t consent|not accept|object|object to|"
        "opt out|opt out of|disable|block|turn off|not ok|not okay|do not track|don t track|reject all",
        without="without",
        only="only|just|solely",
        needed="necessary|essential|essentials|required|mandatory|strictly necessary|technical|technically required|"
        "technically necessary|functional|basic|minimum|minimal|strictly|needed",
        accept="accept|accepts|accepting|agree|agreeing|allow|allowing|consent|consenting|enable|enable all|opt in|"
        "i m in|agree to|consent to|approve",
        all="all|everything",
        save="save|confirm|apply|submit|store|update",
        chosen="selection|selected|choices|choice|current|preference|my choices|my selection|chosen",
        settings="settings|preferences|manage|customize|customise|configure|options|let me choose|show purposes|"
        "purposes|show details|view details|details|choose|personalize|personalise|set preferences|adjust|edit|"
        "change|more options|learn more and customize|cookie settings|review|"
        "do not sell or share my personal information|do not sell my personal information|do not sell my info|"
        "your privacy choices|modify|cookie choices",
        fine="ok|okay|got it|understood|i understand|that s ok|that s fine|fine|alright|sounds good|continue|proceed|"
        "yes|sure|i know|hide|gotcha|cool|great|awesome|acknowledge|thanks|that is ok|yep",
        close="close|dismiss|x|skip|exit",
        no="no|no thanks|nope|no thank you|not now",
        filler="i|we|the|to|of|and|or|use|using|my|me|you|your|this|that|it|them|these|any|for|with|on|a|cookie|"
        "cookies|purpose|services|service|technologies|browsing|site|website|data|personal|privacy|policy|consents|"
        "ones|go|s|category|categories|do|keep|app|apps|application|applications|permissions|button|choose to|our|"
        "not set|in full",
        extra="tracking|trackers|tracker|analytics|analytical|marketing|advertising|statistics|statistical|"
        "third party|third parties|optional|additional|other|others|non essential|nonessential|non essentials|"
        "non necessary|not necessary|unnecessary|non required|unessential|non functional|partners|vendors|"
        "personalized|personalised|targeting|legitimate interest|extra|performance|social",
    ),
    "de": words(
        refuse="ablehnen|ablehne|lehne ab|lehne|ab|verweigern|verweigere|nicht akzeptieren|nicht zustimmen|"
        "stimme nicht zu|nicht einverstanden|nicht erlauben|abwählen|deaktivieren|widersprechen|nicht zulassen|"
        "zurückweisen",
        without="ohne",
        only="nur|ausschließlich|lediglich",
        needed="notwendige|notwendigen|notwendig|essenzielle|essenziellen|essentielle|essentiellen|erforderliche|"
        "erforderlichen|technisch notwendige|technisch notwendigen|technisch erforderliche|unbedingt erforderliche|"
        "unbedingt notwendige|funktionale|zwingend erforderliche|technische|nötige|erforderlich|technisch",
        accept="akzeptieren|akzeptiere|annehmen|zustimmen|zustimmung|zulassen|erlauben|einwilligen|einwilligung|"
        "stimme zu|einverstanden|aktivieren|bestätige alle|stimme|zu|bin einverstanden",
        all="alle|allen|alles",
        save="speichern|bestätigen|übernehmen|sichern",
        chosen="auswahl|ausgewählte|ausgewählten|meine auswahl|getroffene auswahl|gewählte",
        settings="einstellungen|einstellung|anpassen|individuelle|individuell|konfigurieren|verwalten|mehr optionen|"
        "optionen|präferenzen|datenschutzeinstellungen|cookie einstellungen|individuelle datenschutzeinstellungen|"
        "ändern|weitere optionen|auswählen|details anzeigen|zwecke anzeigen|bearbeiten|einstellungen verwalten",
        fine="verstanden|in ordnung|weiter|alles klar|geht klar|ja|gut|ich verstehe",
        close="schließen|schliessen|ausblenden",
        no="nein|nein danke",
        filler="ich|und|oder|sie|der|die|das|den|cookies|fortfahren|fortsetzen|weitersurfen|surfen|dienste|auch|"
        "anwendungen|verwenden|benutzen|mit|des|dem|zwecke|datenschutz|meine|es|einer|besuchen|nutzen",
        extra="optionale|zusätzliche|nicht notwendige|nicht notwendigen|nicht essenzielle|nicht erforderliche|"
        "tracking|anderen|andere|statistik",
    ),
    "fr": words(
        refuse="refuser|refuse|rejeter|rejette|décliner|ne pas accepter|n accepte pas|interdire|tout refuser|"
        "désactiver|bloquer|s opposer|m opposer|je refuse|ne pas autoriser|n autorise pas",
        without="sans",
        only="uniquement|seulement|que|exclusivement|seuls|seul",
        needed="nécessaires|nécessaire|essentiels|essentiel|indispensables|indispensable|strictement nécessaires|"
        "requis|obligatoires|techniques|fonctionnels|strictement",
        accept="accepter|accepte|acceptation|autoriser|autorise|consentir|consens|consentement|d accord|"
        "tout accepter|activer|j accepte|j autorise",
        all="tout|tous|toutes",
        save="enregistrer|confirmer|sauvegarder|valider|appliquer",
        chosen="mes choix|sélection|ma sélection|la sélection|choix|sélectionnés",
        settings="paramétrer|paramètres|personnaliser|gérer|préférences|réglages|configurer|"
        "en savoir plus et paramétrer|plus d options|afficher les finalités|voir les détails|paramétrage|modifier|"
        "choisir|gérer mes choix|gérer les préférences|personnalisation|faire mon choix",
        fine="compris|j ai compris|continuer|oui|c est noté|bien compris|parfait|poursuivre",
        close="fermer|masquer",
        no="non|non merci",
        filler="je|les|le|la|l|et|ou|des|de|du|d|aux|ces|mes|mon|ma|nos|pas|ne|j|en|services|navigation|naviguer|"
        "utilisation|utiliser|site|vers le|non|son",
        extra="optionnels|facultatifs|non essentiels|non nécessaires|traceurs|tiers",
    ),
    "es": words(
        refuse="rechazar|rechazo|rechazarlas|rechazarlo|denegar|deniego|declinar|no aceptar|no acepto|no consentir|"
        "no permitir|desactivar|bloquear|oponerse|rechazar todo|rechazar todas|no estoy de acuerdo",
        without="sin",
        only="solo|sólo|solamente|únicamente",
        needed="necesarias|necesaria|esenciales|esencial|imprescindibles|requeridas|obligatorias|técnicas|"
        "funcionales|estrictamente necesarias|estrictamente",
        accept="aceptar|acepto|aceptarlas|permitir|permito|consentir|consiento|autorizar|de acuerdo|activar|"
        "estoy de acuerdo",
        all="todo|todas|todos",
        save="guardar|confirmar|aplicar|grabar",
        chosen="selección|mi selección|mis preferencias|seleccionadas|elegidas|mis opciones",
        settings="configurar|configuración|personalizar|preferencias|gestionar|ajustes|opciones|más opciones|"
        "administrar|panel de configuración|ver detalles|mostrar propósitos|gestionar opciones|ajustar|cambiar",
        fine="entendido|continuar|sí|si|vale|de acuerdo entendido|lo entiendo",
        close="cerrar",
        no="no gracias",
        filler="las|los|la|el|lo|y|o|e|las cookies|de|del|mi|mis|navegando|uso|usar|cookies de|mí|todas las|que|"
        "navegación",
        extra="opcionales|no esenciales|no necesarias|adicionales|demás",
    ),
    "it": words(
        refuse="rifiuta|rifiutare|rifiuto|rifiuta tutto|rifiuta tutti|non accettare|non accetto|nega|negare|declina|"
        "non acconsento|disattiva|blocca|rifiutali|non consentire",
        without="senza",
        only="solo|soltanto|esclusivamente",
        needed="necessari|necessario|essenziali|tecnici|obbligatori|strettamente necessari|funzionali|indispensabili|"
        "strettamente",
        accept="accetta|accettare|accetto|acconsento|acconsenti|consenti|consento|consentire|consenso|autorizza|"
        "attiva|accettazione|permetti",
        all="tutto|tutti|tutte",
        save="salva|conferma|applica|confermare|salvare",
        chosen="selezione|selezionati|le mie scelte|la selezione|scelte|la mia scelta|selezionate",
        settings="personalizza|impostazioni|preferenze|gestisci|configura|opzioni|più opzioni|"
        "scopri di più e personalizza|mostra dettagli|gestisci opzioni|gestisci preferenze|imposta|scegli|modifica",
        fine="ho capito|capito|continua|va bene|prosegui|d accordo",
        close="chiudi",
        no="no grazie",
        filler="i|gli|le|la|il|e|ed|o|di|dei|delle|del|cookie|navigare|navigazione|mie|mia|miei|mio|l uso|uso|"
        "tecnologie",
        extra="opzionali|non necessari|non essenziali|terze parti",
    ),
    "nl": words(
        refuse="weigeren|weiger|afwijzen|niet accepteren|niet akkoord|niet toestaan|alles weigeren|alle weigeren|"
        "uitschakelen|ik weiger|wijs af|verwerpen",
        without="zonder",
        only="alleen|enkel|uitsluitend|slechts",
        needed="noodzakelijke|noodzakelijk|essentiële|essentieel|functionele|functioneel|vereiste|"
        "strikt noodzakelijke|verplichte|technische|nodige|strikt",
        accept="accepteren|accepteer|akkoord|toestaan|toestemmen|toestemming|goedkeuren|aanvaarden|aanvaard|sta toe|"
        "inschakelen",
        all="alle|alles",
        save="opslaan|bevestigen|bewaren|toepassen|bevestig",
        chosen="selectie|mijn keuze|keuze|mijn keuzes|keuzes|voorkeuren opslaan|geselecteerde",
        settings="instellingen|voorkeuren|aanpassen|beheren|beheer|instellen|zelf instellen|meer opties|opties|"
        "cookie instellingen|cookievoorkeuren|wijzigen|kies|voorkeuren aanpassen|personaliseren|details tonen",
        fine="begrepen|oké|verder|doorgaan|ja|ga verder|ik begrijp het|prima",
        close="sluiten",
        no="nee|nee bedankt|nee dank je",
        filler="ik|de|het|en|of|mijn|deze|met|gaan|dat|je|uw|om|ook|browsen|gebruik",
        extra="optionele|niet noodzakelijke|overige",
    ),
    **MORE,
}

# A label with any of these is an offer to be paid for, whatever else it says.
PAY = (
    r"subscri|abonn|\babo\b|purchase|\bbuy\b|\bpay\b|\bpaid\b|bezahl|kaufen|pur[- ]abo|payer|acheter|suscr|pagar|"
    r"pago\b|comprar|compra\b|abbona|paga\b|acquist|betaal|betalen|kopen|subskry|wykup|zapłać|kup\b|assin|prenumer|"
    r"betala|köp\b|betal\b|køb\b|předplat|zaplat|koupit|előfizet|ödeme|подпис|оплат|купить|購読|購入|有料|订阅|付费|"
    r"구독|결제|premium|ad[- ]?free|werbefrei|sans pub|sin publicidad|senza pubblicità|donat|spend(en|e)\b|"
    r"[€$£¥]\s?\d|\d\s?(€|\$|£|¥|eur\b|usd\b|zł|kr\b|kč)"
)
