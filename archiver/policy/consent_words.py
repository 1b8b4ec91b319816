"""What the buttons of consent notices say, in the languages of the web: vocabulary only, read by `policy.consent`.

A phrase is understood when *every* word of it is known here: "reject all" is a refusal, "reject and subscribe" is not
understood, and what is not understood is never pressed. Words are lower case, without punctuation (`normal`), longest
first, so that "do not accept" is one word of the class refuse. Languages are read together; a word that means two
things in two languages has the class that presses less.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Word(StrEnum):
    REFUSE = "refuse"
    WITHOUT = "without"
    ONLY = "only"
    NEEDED = "needed"
    ACCEPT = "accept"
    ALL = "all"
    SAVE = "save"
    CHOSEN = "chosen"
    SETTINGS = "settings"
    FINE = "fine"
    CLOSE = "close"
    NO = "no"
    EXTRA = "extra"
    FILLER = "filler"


def _words(**classes: str) -> dict[Word, tuple[str, ...]]:
    """`|` between words, which may be of several."""
    return {Word(name): tuple(word.strip() for word in text.split("|")) for name, text in classes.items()}


LANGUAGES: Mapping[str, Mapping[Word, tuple[str, ...]]] = {
    "en": _words(
        refuse="reject|rejects|decline|declines|refuse|deny|disallow|disagree|do not accept|don t accept|do not agree|"
        "don t agree|do not allow|don t allow|do not consent|don t consent|not accept|object|object to|opt out|"
        "opt out of|disable|block|turn off|not ok|not okay|do not track|don t track|reject all",
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
        "change|more options|learn more and customize|cookie settings|review|do not sell or share my personal "
        "information|do not sell my personal information|do not sell my info|your privacy choices|modify|cookie choices",
        fine="ok|okay|got it|understood|i understand|that s ok|that s fine|fine|alright|sounds good|continue|proceed|"
        "yes|sure|i know|hide|gotcha|cool|great|awesome|acknowledge|thanks|that is ok|yep",
        close="close|dismiss|x|skip|exit",
        no="no|no thanks|nope|no thank you|not now",
        filler="i|we|the|to|of|and|or|use|using|my|me|you|your|this|that|it|them|these|any|for|with|on|a|cookie|cookies|"
        "purpose|services|service|technologies|browsing|site|website|data|personal|privacy|policy|consents|ones|go|s|"
        "category|categories|do|keep|app|apps|application|applications|permissions|button|choose to|our|not set|in full",
        extra="tracking|trackers|tracker|analytics|analytical|marketing|advertising|statistics|statistical|third party|"
        "third parties|optional|additional|other|others|non essential|nonessential|non essentials|non necessary|"
        "not necessary|unnecessary|non required|unessential|non functional|partners|vendors|personalized|personalised|"
        "targeting|legitimate interest|extra|performance|social",
    ),
    "de": _words(
        refuse="ablehnen|ablehne|lehne ab|lehne|ab|verweigern|verweigere|nicht akzeptieren|nicht zustimmen|stimme nicht zu|"
        "nicht einverstanden|nicht erlauben|abwählen|deaktivieren|widersprechen|nicht zulassen|zurückweisen",
        without="ohne",
        only="nur|ausschließlich|lediglich",
        needed="notwendige|notwendigen|notwendig|essenzielle|essenziellen|essentielle|essentiellen|erforderliche|"
        "erforderlichen|technisch notwendige|technisch notwendigen|technisch erforderliche|unbedingt erforderliche|"
        "unbedingt notwendige|funktionale|zwingend erforderliche|technische|nötige|erforderlich|technisch",
        accept="akzeptieren|akzeptiere|annehmen|zustimmen|zustimmung|zulassen|erlauben|einwilligen|einwilligung|stimme zu|"
        "einverstanden|aktivieren|bestätige alle|stimme|zu|bin einverstanden",
        all="alle|allen|alles",
        save="speichern|bestätigen|übernehmen|sichern",
        chosen="auswahl|ausgewählte|ausgewählten|meine auswahl|getroffene auswahl|gewählte",
        settings="einstellungen|einstellung|anpassen|individuelle|individuell|konfigurieren|verwalten|mehr optionen|optionen|"
        "präferenzen|datenschutzeinstellungen|cookie einstellungen|individuelle datenschutzeinstellungen|ändern|"
        "weitere optionen|auswählen|details anzeigen|zwecke anzeigen|bearbeiten|einstellungen verwalten",
        fine="verstanden|in ordnung|weiter|alles klar|geht klar|ja|gut|ich verstehe",
        close="schließen|schliessen|ausblenden",
        no="nein|nein danke",
        filler="ich|und|oder|sie|der|die|das|den|cookies|fortfahren|fortsetzen|weitersurfen|surfen|dienste|auch|anwendungen|"
        "verwenden|benutzen|mit|des|dem|zwecke|datenschutz|meine|es|einer|besuchen|nutzen",
        extra="optionale|zusätzliche|nicht notwendige|nicht notwendigen|nicht essenzielle|nicht erforderliche|tracking|anderen|andere|statistik",
    ),
    "fr": _words(
        refuse="refuser|refuse|rejeter|rejette|décliner|ne pas accepter|n accepte pas|interdire|tout refuser|désactiver|"
        "bloquer|s opposer|m opposer|je refuse|ne pas autoriser|n autorise pas",
        without="sans",
        only="uniquement|seulement|que|exclusivement|seuls|seul",
        needed="nécessaires|nécessaire|essentiels|essentiel|indispensables|indispensable|strictement nécessaires|requis|"
        "obligatoires|techniques|fonctionnels|strictement",
        accept="accepter|accepte|acceptation|autoriser|autorise|consentir|consens|consentement|d accord|tout accepter|"
        "activer|j accepte|j autorise",
        all="tout|tous|toutes",
        save="enregistrer|confirmer|sauvegarder|valider|appliquer",
        chosen="mes choix|sélection|ma sélection|la sélection|choix|sélectionnés",
        settings="paramétrer|paramètres|personnaliser|gérer|préférences|réglages|configurer|en savoir plus et paramétrer|"
        "plus d options|afficher les finalités|voir les détails|paramétrage|modifier|choisir|gérer mes choix|"
        "gérer les préférences|personnalisation|faire mon choix",
        fine="compris|j ai compris|continuer|oui|c est noté|bien compris|parfait|poursuivre",
        close="fermer|masquer",
        no="non|non merci",
        filler="je|les|le|la|l|et|ou|des|de|du|d|aux|ces|mes|mon|ma|nos|pas|ne|j|en|services|navigation|naviguer|"
        "utilisation|utiliser|site|vers le|non|son",
        extra="optionnels|facultatifs|non essentiels|non nécessaires|traceurs|tiers",
    ),
    "es": _words(
        refuse="rechazar|rechazo|rechazarlas|rechazarlo|denegar|deniego|declinar|no aceptar|no acepto|no consentir|"
        "no permitir|desactivar|bloquear|oponerse|rechazar todo|rechazar todas|no estoy de acuerdo",
        without="sin",
        only="solo|sólo|solamente|únicamente",
        needed="necesarias|necesaria|esenciales|esencial|imprescindibles|requeridas|obligatorias|técnicas|funcionales|"
        "estrictamente necesarias|estrictamente",
        accept="aceptar|acepto|aceptarlas|permitir|permito|consentir|consiento|autorizar|de acuerdo|activar|estoy de acuerdo",
        all="todo|todas|todos",
        save="guardar|confirmar|aplicar|grabar",
        chosen="selección|mi selección|mis preferencias|seleccionadas|elegidas|mis opciones",
        settings="configurar|configuración|personalizar|preferencias|gestionar|ajustes|opciones|más opciones|administrar|"
        "panel de configuración|ver detalles|mostrar propósitos|gestionar opciones|ajustar|cambiar",
        fine="entendido|continuar|sí|si|vale|de acuerdo entendido|lo entiendo",
        close="cerrar",
        no="no gracias",
        filler="las|los|la|el|lo|y|o|e|las cookies|de|del|mi|mis|navegando|uso|usar|cookies de|mí|todas las|que|"
        "navegación",
        extra="opcionales|no esenciales|no necesarias|adicionales|demás",
    ),
    "it": _words(
        refuse="rifiuta|rifiutare|rifiuto|rifiuta tutto|rifiuta tutti|non accettare|non accetto|nega|negare|declina|"
        "non acconsento|disattiva|blocca|rifiutali|non consentire",
        without="senza",
        only="solo|soltanto|esclusivamente",
        needed="necessari|necessario|essenziali|tecnici|obbligatori|strettamente necessari|funzionali|indispensabili|"
        "strettamente",
        accept="accetta|accettare|accetto|acconsento|acconsenti|consenti|consento|consentire|consenso|autorizza|attiva|"
        "accettazione|permetti",
        all="tutto|tutti|tutte",
        save="salva|conferma|applica|confermare|salvare",
        chosen="selezione|selezionati|le mie scelte|la selezione|scelte|la mia scelta|selezionate",
        settings="personalizza|impostazioni|preferenze|gestisci|configura|opzioni|più opzioni|scopri di più e personalizza|"
        "mostra dettagli|gestisci opzioni|gestisci preferenze|imposta|scegli|modifica",
        fine="ho capito|capito|continua|va bene|prosegui|d accordo",
        close="chiudi",
        no="no grazie",
        filler="i|gli|le|la|il|e|ed|o|di|dei|delle|del|cookie|navigare|navigazione|mie|mia|miei|mio|l uso|uso|"
        "tecnologie",
        extra="opzionali|non necessari|non essenziali|terze parti",
    ),
    "nl": _words(
        refuse="weigeren|weiger|afwijzen|niet accepteren|niet akkoord|niet toestaan|alles weigeren|alle weigeren|"
        "uitschakelen|ik weiger|wijs af|verwerpen",
        without="zonder",
        only="alleen|enkel|uitsluitend|slechts",
        needed="noodzakelijke|noodzakelijk|essentiële|essentieel|functionele|functioneel|vereiste|strikt noodzakelijke|"
        "verplichte|technische|nodige|strikt",
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
    "pl": _words(
        refuse="odrzuć|odrzucam|odmów|odmawiam|odrzuć wszystkie|odrzuć wszystko|nie zgadzam się|nie akceptuję|"
        "nie akceptuj|nie wyrażam zgody|nie zezwalaj|wyłącz|sprzeciw|odrzucić|nie wyrażam",
        without="bez",
        only="tylko|wyłącznie|jedynie",
        needed="niezbędne|niezbędnych|konieczne|wymagane|technicznie niezbędne|funkcjonalne|podstawowe|obowiązkowe|ściśle",
        accept="akceptuję|akceptuj|zaakceptuj|zgadzam się|zgadzam|zgoda|zgody|zezwól|zezwalam|wyrażam zgodę|"
        "akceptacji|przyjmuję|zaakceptuj wszystkie|włącz|zgodę|zezwól na",
        all="wszystkie|wszystko|wszystkich",
        save="zapisz|potwierdź|zatwierdź|zapisuję|potwierdzam",
        chosen="wybrane|wybór|mój wybór|moje wybory|wybór preferencji|zaznaczone",
        settings="ustawienia|dostosuj|zarządzaj|preferencje|opcje|więcej opcji|konfiguruj|zmień ustawienia|szczegóły|"
        "ustawienia zaawansowane|personalizuj|ustawienia prywatności|zarządzaj opcjami|zmień|wybierz",
        fine="rozumiem|dalej|w porządku|kontynuuj|tak|przejdź do serwisu|przejdź dalej",
        close="zamknij",
        no="nie|nie dziękuję",
        filler="pliki|plików|ciasteczka|ciasteczek|się|na|i|lub|oraz|moje|nie są|do|używanie|przejdź|preferencji|"
        "mój|swoje|akceptowania|przeglądanie",
        extra="opcjonalne|pozostałe|nieobowiązkowe",
    ),
    "pt": _words(
        refuse="rejeitar|rejeito|recusar|recuso|negar|não aceitar|não aceito|não concordo|não permitir|rejeitar tudo|"
        "rejeitar todos|recusar tudo|recusar todos|desativar|bloquear|rejeitar todas",
        without="sem",
        only="apenas|somente|só",
        needed="necessários|necessário|essenciais|obrigatórios|técnicos|funcionais|estritamente necessários|"
        "indispensáveis|requeridos|estritamente",
        accept="aceitar|aceito|aceite|permitir|permito|concordo|concordar|consentir|consinto|autorizar|ativar|"
        "concordo com",
        all="tudo|todos|todas",
        save="salvar|guardar|gravar|confirmar",
        chosen="seleção|minhas escolhas|as minhas escolhas|selecionados|escolhas|minha seleção",
        settings="configurações|definições|personalizar|preferências|gerir|gerenciar|configurar|opções|mais opções|"
        "gerir preferências|gerenciar opções|ver detalhes|ajustar|definições de cookies|alterar",
        fine="entendi|compreendi|continuar|sim|percebi|prosseguir|entendido",
        close="fechar",
        no="não|não obrigado|não obrigada",
        filler="os|as|o|a|e|ou|de|dos|das|do|da|uso|navegar|minhas|meus|utilização|todos os|com",
        extra="opcionais|não essenciais|não necessários|adicionais|terceiros",
    ),
    "sv": _words(
        refuse="avvisa|avböj|neka|nekar|avvisa alla|neka alla|avböj alla|godkänn inte|acceptera inte|tillåt inte|"
        "inaktivera|avslå|godkänner inte|samtycker inte",
        without="utan",
        only="endast|bara|enbart",
        needed="nödvändiga|nödvändig|obligatoriska|tekniska|funktionella|strikt nödvändiga|strikt|nödvändigt",
        accept="acceptera|accepterar|godkänn|godkänner|tillåt|tillåter|samtyck|samtycker|samtycke|aktivera|jag godkänner",
        all="alla|allt",
        save="spara|bekräfta",
        chosen="val|mina val|urval|valda|markerade",
        settings="inställningar|anpassa|hantera|alternativ|fler alternativ|ändra inställningar|preferenser|välj|"
        "visa detaljer|anpassa inställningar|cookieinställningar|kakinställningar|ändra|hantera inställningar",
        fine="jag förstår|förstått|fortsätt|okej|ja|uppfattat",
        close="stäng",
        no="nej|nej tack",
        filler="kakor|cookies|jag|och|eller|mina|mitt|de|använd|användning|att|för|om|vill|på",
        extra="icke nödvändiga|valfria|övriga",
    ),
    "da": _words(
        refuse="afvis|afvis alle|nægt|afslå|accepter ikke|accepterer ikke|tillad ikke|fravælg|fravælg alle|deaktiver|"
        "afvis alt|giver ikke samtykke",
        without="uden",
        only="kun|udelukkende",
        needed="nødvendige|nødvendig|påkrævede|tekniske|funktionelle|strengt nødvendige|obligatoriske|strengt|krævede",
        accept="accepter|accepterer|accepter alle|tillad|tillader|godkend|godkender|samtykke|samtykker|aktiver|"
        "giv samtykke",
        all="alle|alt",
        save="gem|bekræft",
        chosen="valg|mine valg|valgte|udvalgte|de valgte",
        settings="indstillinger|tilpas|administrer|præferencer|vis detaljer|flere muligheder|rediger|vælg|"
        "cookieindstillinger|tilpas indstillinger|valgmuligheder|ret",
        fine="forstået|jeg forstår|fortsæt|det er ok|videre|okay",
        close="luk",
        no="nej tak",
        filler="jeg|og|eller|mine|de|brug|af|at|til|cookies|brugen|give",
        extra="valgfri|valgfrie|ikke nødvendige|øvrige",
    ),
    "no": _words(
        refuse="avvis alle|avvis|avslå alle|ikke godta|godtar ikke|avvise|tillat ikke|nekt",
        without="uten",
        only="kun|bare",
        needed="nødvendige|strengt nødvendige|påkrevde",
        accept="godta|godtar|tillat|aksepter|aksepterer|samtykke",
        all="alle|alt",
        save="lagre|bekreft",
        chosen="utvalg|mine valg",
        settings="innstillinger|administrer innstillinger|tilpass|tilpasse|vis detaljer",
        fine="forstått|jeg forstår|fortsett|greit",
        close="lukk",
        filler="informasjonskapsler|jeg|og|eller",
        extra="valgfrie",
    ),
    "fi": _words(
        refuse="hylkää|hylkää kaikki|kieltäydy|kiellä|en hyväksy|älä hyväksy|kiellä kaikki|estä",
        only="vain|ainoastaan",
        needed="välttämättömät|pakolliset|tarpeelliset|välttämättömiä",
        accept="hyväksy|hyväksyn|salli|suostun|salli kaikki",
        all="kaikki",
        save="tallenna|vahvista",
        chosen="valinnat|valitut|valintani",
        settings="asetukset|muokkaa|hallitse|mukauta|evästeasetukset|näytä tiedot|muuta asetuksia",
        fine="selvä|ymmärrän|jatka",
        close="sulje",
        filler="evästeet|evästeitä|ja|tai",
        extra="valinnaiset",
    ),
    "cs": _words(
        refuse="odmítnout|odmítám|odmítnout vše|zamítnout|nesouhlasím|nepřijmout|nepovolit|zakázat|odmítnout všechny|"
        "zamítnout vše|nepřijímám|odmítat|odmietnuť|odmietam|odmietnuť všetko|nesúhlasím|zakázať",
        without="bez",
        only="pouze|jen|jenom|výhradně|iba|len",
        needed="nezbytné|nezbytně nutné|nutné|technické|povinné|funkční|základní|nezbytně|nevyhnutné|potrebné|potřebné",
        accept="přijmout|přijímám|souhlasím|povolit|povolit vše|souhlas|souhlasu|přijmout vše|akceptovat|schválit|"
        "prijať|prijímam|súhlasím|povoliť|povoluji|souhlasit",
        all="vše|všechny|všechno|všetko|všetky",
        save="uložit|potvrdit|uložiť|potvrdiť",
        chosen="výběr|můj výběr|vybrané|volby|výber|moje volby",
        settings="nastavení|přizpůsobit|upravit|spravovat|předvolby|podrobné nastavení|více možností|možnosti|"
        "zobrazit podrobnosti|vlastní nastavení|nastavenia|prispôsobiť|spravovať|nastavit|změnit nastavení|upravit nastavení",
        fine="rozumím|pokračovat|dobře|beru na vědomí|ano|rozumiem|v pořádku",
        close="zavřít|zatvoriť",
        no="ne|ne děkuji",
        filler="soubory|souborů|a|nebo|s|cookies|mé|moje|i|používání|všech|súbory",
        extra="volitelné|ostatní|nepovinné",
    ),
    "hu": _words(
        refuse="elutasítom|elutasítás|elutasít|az összes elutasítása|összes elutasítása|nem fogadom el|nem járulok hozzá",
        only="csak",
        needed="szükséges|a szükséges|feltétlenül szükséges|elengedhetetlen",
        accept="elfogadom|elfogadás|elfogad|engedélyezem|hozzájárulok|az összes elfogadása|engedélyezése|elfogadása",
        all="összes|mind|mindet|mindent",
        save="mentés|megerősítés|mentése",
        chosen="kiválasztottak|kijelöltek|beállítások mentése",
        settings="beállítások|testreszabás|kezelés|részletek|további lehetőségek|beállítások kezelése|lehetőségek",
        fine="értem|rendben|tovább",
        close="bezárás",
        filler="sütik|sütiket|süti|az|és|vagy|cookie k|a",
    ),
    "ro": _words(
        refuse="respinge|resping|refuz|refuză|respinge tot|respinge toate|nu accept|nu sunt de acord|refuză tot|refuză toate",
        without="fără",
        only="doar|numai",
        needed="necesare|esențiale|strict necesare|obligatorii",
        accept="acceptă|accept|accept toate|permite|sunt de acord|acceptați|de accord",
        all="toate|tot",
        save="salvează|confirmă|salvați",
        chosen="selecția|alegerile mele|selectate",
        settings="setări|preferințe|personalizează|gestionează|opțiuni|mai multe opțiuni|configurează|modifică setările",
        fine="am înțeles|continuă|înțeles",
        close="închide",
        filler="cookie uri|cookie urile|modulele|și|sau|la|le",
        extra="opționale",
    ),
    "tr": _words(
        refuse="reddet|tümünü reddet|hepsini reddet|kabul etme|kabul etmiyorum|reddediyorum",
        only="yalnızca|sadece",
        needed="gerekli|zorunlu|gerekli olan",
        accept="kabul et|kabul ediyorum|tümünü kabul et|izin ver|onayla|hepsini kabul et|onaylıyorum",
        all="tümünü|hepsini|tüm",
        save="kaydet",
        chosen="seçimlerimi|seçimi",
        settings="ayarlar|tercihler|yönet|özelleştir|çerez ayarları|tercihleri yönet|ayarları değiştir|seçenekler",
        fine="tamam|anladım|devam|devam et",
        close="kapat",
        filler="çerezleri|çerezler|ve|veya|çerez|olanları",
    ),
    "ru": _words(
        refuse="отклонить|отклонить все|отказаться|отказаться от всех|не принимать|не согласен|отказать|запретить|"
        "не принимаю|не соглашаюсь|відхилити|відхилити все|відмовитися|не погоджуюся",
        without="без",
        only="только|лише|тільки",
        needed="необходимые|обязательные|технические|необхідні|обов язкові",
        accept="принять|принимаю|принять все|согласен|соглашаюсь|разрешить|разрешить все|согласиться|прийняти|"
        "погоджуюся|дозволити|прийняти все|согласна",
        all="все|всё|всех|усі|всі",
        save="сохранить|подтвердить|зберегти|підтвердити",
        chosen="выбор|мой выбор|выбранные|вибране|вибрані",
        settings="настройки|настроить|управление|параметры|подробнее|налаштування|налаштувати|изменить настройки|"
        "параметри|управление настройками",
        fine="понятно|хорошо|ок|продолжить|ясно|да|зрозуміло|добре",
        close="закрыть|закрити",
        no="нет|ні|нет спасибо",
        filler="файлы|куки|и|или|от|на|использование|файли|та",
        extra="необязательные",
    ),
    "el": _words(
        refuse="απόρριψη|απορρίπτω|απόρριψη όλων|δεν αποδέχομαι|δεν συμφωνώ|διαφωνώ|άρνηση",
        only="μόνο",
        needed="απαραίτητα|απολύτως απαραίτητα|αναγκαία|τα απαραίτητα",
        accept="αποδοχή|αποδέχομαι|συμφωνώ|αποδοχή όλων|επιτρέπω",
        all="όλων|όλα|όλες",
        save="αποθήκευση|επιβεβαίωση",
        chosen="επιλογών|επιλογές μου|επιλεγμένων",
        settings="ρυθμίσεις|προτιμήσεις|διαχείριση|περισσότερες επιλογές|προσαρμογή|επιλογές",
        fine="κατάλαβα|εντάξει|συνέχεια",
        close="κλείσιμο",
        filler="των|τα|και|ή",
        extra="μη απαραίτητων",
    ),
}

# Written without spaces: whole phrases, compared as they stand.
PHRASES: Mapping[Word, frozenset[str]] = {
    Word.REFUSE: frozenset(
        ["すべて拒否する", "すべて拒否", "全て拒否する", "全て拒否", "拒否する", "拒否", "同意しない", "許可しない", "すべてのcookieを拒否する", "cookieを拒否する", "すべてのcookieを拒否", "cookieを拒否", "必須cookieのみ", "必須のcookieのみ", "必要なcookieのみ", "必要なもののみ", "必須のみ", "必要なcookieのみ許可", "必要なcookieのみ許可する", "必要最小限のcookieのみ", "必須cookieのみ許可する", "必須cookieのみを許可する", "必要なcookieのみを許可", "必要なcookieのみ受け入れる", "同意せずに続ける", "同意せずに続行", "すべてのクッキーを拒否", "クッキーを拒否する", "オプトアウト", "拒绝", "全部拒绝", "拒绝全部", "拒绝所有", "拒绝所有cookie", "仅接受必要cookie", "仅接受必要的cookie", "仅限必要", "仅必要cookie", "仅使用必要cookie", "不同意", "不接受", "拒绝非必要cookie", "仅允许必要的cookie", "全部拒絕", "拒絕", "拒絕全部", "僅接受必要的cookie", "僅限必要cookie", "모두 거부", "거부", "모두 거부하기", "거부하기", "필수 쿠키만 허용", "필수만 허용", "동의하지 않음", "필수 쿠키만", "필수 쿠키만 수락", "ปฏิเสธทั้งหมด", "ปฏิเสธ", "từ chối", "từ chối tất cả", "tolak", "tolak semua", "رفض", "رفض الكل", "رفض الجميع", "דחה", "דחה הכל", "अस्वीकार करें"]
    ),
    Word.ACCEPT: frozenset(
        ["すべて同意する", "すべて同意", "同意する", "同意", "すべて許可", "すべて許可する", "許可する", "許可", "すべて受け入れる", "受け入れる", "承諾する", "承認する", "すべてのcookieを受け入れる", "cookieを受け入れる", "すべてのcookieを許可する", "同意して続ける", "同意して閉じる", "全て許可", "全て同意する", "接受", "全部接受", "接受全部", "接受所有", "接受所有cookie", "同意并继续", "允许", "允许全部", "允许所有", "同意全部", "接受並繼續", "接受所有cookies", "모두 수락", "수락", "동의", "모두 동의", "모두 허용", "허용", "동의함", "모두 동의하기", "동의하기", "ยอมรับ", "ยอมรับทั้งหมด", "chấp nhận", "chấp nhận tất cả", "đồng ý", "terima", "terima semua", "قبول", "قبول الكل", "موافق", "אישור", "קבל הכל", "स्वीकार करें"]
    ),
    Word.SETTINGS: frozenset(
        ["設定", "cookie設定", "cookieの設定", "設定を変更", "設定を管理", "カスタマイズ", "詳細設定", "クッキー設定", "設定する", "オプションを管理", "選択する", "cookie設定を管理", "设置", "cookie设置", "管理设置", "自定义", "偏好设置", "更多选项", "管理选项", "設定偏好", "管理cookie", "管理偏好", "설정", "쿠키 설정", "설정 관리", "맞춤설정", "옵션 관리", "자세히 설정", "การตั้งค่า", "ตั้งค่าคุกกี้", "cài đặt", "tùy chỉnh", "pengaturan", "الإعدادات", "إدارة الخيارات", "הגדרות"]
    ),
    Word.SAVE: frozenset(
        ["保存", "保存する", "選択を保存", "設定を保存", "選択内容を保存", "設定を保存する", "確認", "確定", "保存设置", "保存选择", "确认", "确认我的选择", "保存並關閉", "저장", "선택 저장", "설정 저장", "선택 확인", "확인하기", "選択を確認", "選択内容を確認", "選択したcookieを許可"]
    ),
    Word.FINE: frozenset(["ok", "了解", "わかりました", "了解しました", "続ける", "続行", "はい", "好的", "知道了", "我知道了", "继续", "확인", "알겠습니다", "계속"]),
    Word.CLOSE: frozenset(["閉じる", "关闭", "關閉", "닫기", "ปิด", "đóng", "tutup", "إغلاق", "סגור"]),
}

# A label with any of these is an offer to be paid for, whatever else it says.
PAY = (
    r"subscri|abonn|\babo\b|purchase|\bbuy\b|\bpay\b|\bpaid\b|bezahl|kaufen|pur[- ]abo|payer|acheter|suscr|pagar|pago\b|"
    r"comprar|compra\b|abbona|paga\b|acquist|betaal|betalen|kopen|subskry|wykup|zapłać|kup\b|assin|prenumer|betala|köp\b|"
    r"betal\b|køb\b|předplat|zaplat|koupit|előfizet|ödeme|подпис|оплат|купить|購読|購入|有料|订阅|付费|구독|결제|"
    r"premium|ad[- ]?free|werbefrei|sans pub|sin publicidad|senza pubblicità|donat|spend(en|e)\b|"
    r"[€$£¥]\s?\d|\d\s?(€|\$|£|¥|eur\b|usd\b|zł|kr\b|kč)"
)
