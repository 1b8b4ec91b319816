"""Words on the buttons of consent notices: further languages, and those that are written without spaces."""

from __future__ import annotations

from collections.abc import Mapping

from archiver.policy.consent_vocabulary import Word, words

MORE: Mapping[str, Mapping[Word, tuple[str, ...]]] = {
    "pl": words(
        refuse="odrzuć|odrzucam|odmów|odmawiam|odrzuć wszystkie|odrzuć wszystko|nie zgadzam się|nie akceptuję|"
        "nie akceptuj|nie wyrażam zgody|nie zezwalaj|wyłącz|sprzeciw|odrzucić|nie wyrażam",
        without="bez",
        only="tylko|wyłącznie|jedynie",
        needed="niezbędne|niezbędnych|konieczne|wymagane|technicznie niezbędne|funkcjonalne|podstawowe|obowiązkowe|"
        "ściśle",
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
        filler="pliki|plików|ciasteczka|ciasteczek|się|na|i|lub|oraz|moje|nie są|do|używanie|przejdź|preferencji|mój|"
        "swoje|akceptowania|przeglądanie",
        extra="opcjonalne|pozostałe|nieobowiązkowe",
    ),
    "pt": words(
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
    "sv": words(
        refuse="avvisa|avböj|neka|nekar|avvisa alla|neka alla|avböj alla|godkänn inte|acceptera inte|tillåt inte|"
        "inaktivera|avslå|godkänner inte|samtycker inte",
        without="utan",
        only="endast|bara|enbart",
        needed="nödvändiga|nödvändig|obligatoriska|tekniska|funktionella|strikt nödvändiga|strikt|nödvändigt",
        accept="acceptera|accepterar|godkänn|godkänner|tillåt|tillåter|samtyck|samtycker|samtycke|aktivera|"
        "jag godkänner",
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
    "da": words(
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
    "no": words(
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
    "fi": words(
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
    "cs": words(
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
        "zobrazit podrobnosti|vlastní nastavení|nastavenia|prispôsobiť|spravovať|nastavit|změnit nastavení|"
        "upravit nastavení",
        fine="rozumím|pokračovat|dobře|beru na vědomí|ano|rozumiem|v pořádku",
        close="zavřít|zatvoriť",
        no="ne|ne děkuji",
        filler="soubory|souborů|a|nebo|s|cookies|mé|moje|i|používání|všech|súbory",
        extra="volitelné|ostatní|nepovinné",
    ),
    "hu": words(
        refuse="elutasítom|elutasítás|elutasít|az összes elutasítása|összes elutasítása|nem fogadom el|"
        "nem járulok hozzá",
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
    "ro": words(
        refuse="respinge|resping|refuz|refuză|respinge tot|respinge toate|nu accept|nu sunt de acord|refuză tot|"
        "refuză toate",
        without="fără",
        only="doar|numai",
        needed="necesare|esențiale|strict necesare|obligatorii",
        accept="acceptă|accept|accept toate|permite|sunt de acord|acceptați|de accord",
        all="toate|tot",
        save="salvează|confirmă|salvați",
        chosen="selecția|alegerile mele|selectate",
        settings="setări|preferințe|personalizează|gestionează|opțiuni|mai multe opțiuni|configurează|"
        "modifică setările",
        fine="am înțeles|continuă|înțeles",
        close="închide",
        filler="cookie uri|cookie urile|modulele|și|sau|la|le",
        extra="opționale",
    ),
    "tr": words(
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
    "ru": words(
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
    "el": words(
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

# Written without spaces, or hardly ever with more words: whole phrases, compared as they stand.
_WHOLE = words(
    refuse="cookieを拒否|cookieを拒否する|tolak|tolak semua|từ chối|từ chối tất cả|דחה|דחה הכל|رفض|"
    "رفض الجميع|رفض الكل|अस्वीकार करें|ปฏิเสธ|ปฏิเสธทั้งหมด|すべてのcookieを拒否|すべてのcookieを拒否する|"
    "すべてのクッキーを拒否|すべて拒否|すべて拒否する|オプトアウト|クッキーを拒否する|不同意|不接受|"
    "仅使用必要cookie|仅允许必要的cookie|仅必要cookie|仅接受必要cookie|仅接受必要的cookie|仅限必要|"
    "僅接受必要的cookie|僅限必要cookie|全て拒否|全て拒否する|全部拒絕|全部拒绝|同意しない|同意せずに続ける|"
    "同意せずに続行|必要なcookieのみ|必要なcookieのみを許可|必要なcookieのみ受け入れる|必要なcookieのみ許可|"
    "必要なcookieのみ許可する|必要なもののみ|必要最小限のcookieのみ|必須cookieのみ|必須cookieのみを許可する|"
    "必須cookieのみ許可する|必須のcookieのみ|必須のみ|拒否|拒否する|拒絕|拒絕全部|拒绝|拒绝全部|拒绝所有|"
    "拒绝所有cookie|拒绝非必要cookie|許可しない|거부|거부하기|동의하지 않음|모두 거부|모두 거부하기|"
    "필수 쿠키만|필수 쿠키만 수락|필수 쿠키만 허용|필수만 허용",
    accept="chấp nhận|chấp nhận tất cả|cookieを受け入れる|terima|terima semua|đồng ý|אישור|קבל הכל|"
    "قبول|قبول الكل|موافق|स्वीकार करें|ยอมรับ|ยอมรับทั้งหมด|すべてのcookieを受け入れる|"
    "すべてのcookieを許可する|すべて受け入れる|すべて同意|すべて同意する|すべて許可|すべて許可する|允许|"
    "允许全部|允许所有|全て同意する|全て許可|全部接受|受け入れる|同意|同意して続ける|同意して閉じる|同意する|"
    "同意全部|同意并继续|承認する|承諾する|接受|接受並繼續|接受全部|接受所有|接受所有cookie|接受所有cookies|"
    "許可|許可する|동의|동의하기|동의함|모두 동의|모두 동의하기|모두 수락|모두 허용|수락|허용",
    settings="cookieの設定|cookie設定|cookie設定を管理|cookie设置|cài đặt|pengaturan|tùy chỉnh|הגדרות|"
    "إدارة الخيارات|الإعدادات|การตั้งค่า|ตั้งค่าคุกกี้|オプションを管理|カスタマイズ|クッキー設定|偏好设置|"
    "更多选项|管理cookie|管理偏好|管理设置|管理选项|自定义|設定|設定する|設定を変更|設定を管理|設定偏好|"
    "詳細設定|设置|選択する|맞춤설정|설정|설정 관리|옵션 관리|자세히 설정|쿠키 설정",
    save="保存|保存する|保存並關閉|保存设置|保存选择|确认|确认我的选择|確定|確認|設定を保存|設定を保存する|"
    "選択したcookieを許可|選択を保存|選択を確認|選択内容を保存|選択内容を確認|선택 저장|선택 확인|설정 저장|"
    "저장|확인하기",
    fine="ok|はい|わかりました|了解|了解しました|好的|我知道了|知道了|続ける|続行|继续|계속|알겠습니다|확인",
    close="tutup|đóng|סגור|إغلاق|ปิด|关闭|閉じる|關閉|닫기",
)
PHRASES: Mapping[Word, frozenset[str]] = {word: frozenset(phrases) for word, phrases in _WHOLE.items()}
