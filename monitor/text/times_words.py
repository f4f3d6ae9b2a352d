"""The words in which people write times: months, weekdays, day halves, units, "ago", zones.

Rule: tables only, lower case, no marks of abbreviation; month and weekday names are those of CLDR, wide and abbreviated.
A word may play several roles ("am" is a day half in English and a preposition in German); the grammar decides by place.
"""

from __future__ import annotations

_MONTHS = (
    (
        "january jan januar janvier janv enero ene gennaio gen janeiro januari tammikuu tammikuuta styczeń stycznia sty leden ledna "
        "január ianuarie ιανουαρίου ιανουάριος ιαν январь января янв січень січня січ ocak oca يناير كانون_الثاني ژانویه ינואר जनवरी มกราคม มค"
    ),
    (
        "february feb febr februar février févr fevrier febrero febbraio fevereiro fev februari helmikuu helmikuuta luty lutego lut únor "
        "února február februarie φεβρουαρίου φεβ февраль февраля фев февр лютий лютого şubat şub فبراير شباط فوریه פברואר फ़रवरी กุมภาพันธ์ กพ"
    ),
    (
        "march mar mär märz mrz mars marzo março maart mrt maaliskuu maaliskuuta marzec marca březen března március márc martie μαρτίου μαρ "
        "март марта мар березень березня бер mart مارس آذار מרץ मार्च มีนาคม มีค mac"
    ),
    (
        "april apr avril avr abril abr aprile huhtikuu huhtikuuta kwiecień kwietnia kwi duben dubna április ápr aprilie απριλίου απρ апрель "
        "апреля апр квітень квітня квіт nisan nis أبريل نيسان إبريل آوریل אפריל अप्रैल เมษายน เมย"
    ),
    (
        "may mai mayo maggio mag maio mei maj toukokuu toukokuuta maja květen května május máj μαΐου μάιος μαϊ май мая травень травня трав "
        "mayıs مايو أيار مه מאי मई พฤษภาคม พค"
    ),
    (
        "june jun juni juin junio giugno giu junho kesäkuu kesäkuuta czerwiec czerwca cze červen června június jún iunie ιουνίου ιουν июнь "
        "июня июн червень червня черв haziran haz يونيو حزيران ژوئن יוני जून มิถุนายน มิย"
    ),
    (
        "july jul juli juillet juil julio luglio lug julho heinäkuu heinäkuuta lipiec lipca lip červenec července július júl iulie ιουλίου ιουλ "
        "июль июля июл липень липня лип temmuz tem يوليو تموز ژوئیه יולי जुलाई กรกฎาคม กค"
    ),
    (
        "august aug août aout agosto ago augusti augustus elokuu elokuuta sierpień sierpnia sie srpen srpna augusztus αυγούστου αυγ август "
        "августа авг серпень серпня серп ağustos ağu أغسطس آب اوت אוגוסט अगस्त สิงหาคม สค"
    ),
    (
        "september sept sep septembre septiembre settembre set setembro syyskuu syyskuuta wrzesień września wrz září szeptember septembrie "
        "σεπτεμβρίου σεπ сентябрь сентября сен сент вересень вересня вер eylül eyl سبتمبر أيلول سپتامبر ספטמבר सितंबर กันยายน กย"
    ),
    (
        "october oct oktober okt octobre octubre ottobre ott outubro out lokakuu lokakuuta październik października paź říjen října október "
        "octombrie οκτωβρίου οκτ октябрь октября окт жовтень жовтня жовт ekim eki أكتوبر تشرين_الأول اکتبر אוקטובר अक्टूबर ตุลาคม ตค"
    ),
    (
        "november nov novembre noviembre novembro marraskuu marraskuuta listopad listopada lis listopadu noiembrie νοεμβρίου νοε ноябрь ноября "
        "ноя нояб листопад листопада лист kasım kas نوفمبر تشرين_الثاني نوامبر נובמבר नवंबर พฤศจิกายน พย"
    ),
    (
        "december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro desember des joulukuu joulukuuta grudzień grudnia gru "
        "prosinec prosince december decembrie δεκεμβρίου δεκ декабрь декабря дек грудень грудня груд aralık ara ديسمبر كانون_الأول دسامبر "
        "דצמבר दिसंबर ธันวาคม ธค"
    ),
)
_WEEKDAYS = (
    (
        "monday mon montag mo lundi lun lunes lunedì segunda segunda-feira maandag måndag mandag maanantai poniedziałek pondělí hétfő luni "
        "δευτέρα понедельник пн понеділок pazartesi pzt الاثنين الإثنين دوشنبه सोमवार วันจันทร์ senin 月曜日 星期一 周一 월요일"
    ),
    (
        "tuesday tue tues dienstag di mardi martes martedì terça terça-feira dinsdag tisdag tirsdag tiistai wtorek úterý kedd marți τρίτη "
        "вторник вт вівторок salı sal الثلاثاء سه‌شنبه मंगलवार วันอังคาร selasa 火曜日 星期二 周二 화요일"
    ),
    (
        "wednesday wed mittwoch mi mercredi mer miércoles mercoledì quarta quarta-feira woensdag onsdag keskiviikko środa středa szerda "
        "miercuri τετάρτη среда ср середа çarşamba çar الأربعاء चारشنبه बुधवार วันพุธ rabu 水曜日 星期三 周三 수요일"
    ),
    (
        "thursday thu thur thurs donnerstag do jeudi jeu jueves giovedì gio quinta quinta-feira donderdag torsdag torstai czwartek čtvrtek "
        "csütörtök joi πέμπτη четверг чт четвер perşembe per الخميس पنجشنبه गुरुवार วันพฤหัสบดี kamis 木曜日 星期四 周四 목요일"
    ),
    (
        "friday fri freitag fr vendredi ven viernes venerdì sexta sexta-feira vrijdag fredag perjantai piątek pátek péntek vineri παρασκευή "
        "пятница пт пʼятниця cuma cum الجمعة جمعه शुक्रवार วันศุกร์ jumat 金曜日 星期五 周五 금요일"
    ),
    (
        "saturday sat samstag sonnabend sa samedi sam sábado sabato sab zaterdag lördag lørdag lauantai sobota szombat sâmbătă σάββατο "
        "суббота сб субота cumartesi cmt السبت شنبه शनिवार วันเสาร์ sabtu 土曜日 星期六 周六 토요일"
    ),
    (
        "sunday sun sonntag so dimanche dim domingo domenica dom zondag söndag søndag sunnuntai niedziela neděle vasárnap duminică κυριακή "
        "воскресенье вс неділя pazar paz الأحد یکشنبه रविवार วันอาทิตย์ minggu 日曜日 星期日 星期天 周日 일요일"
    ),
)
_UNITS = {
    1: "second seconds sec secs s sekunde sekunden sek seconde secondes segundo segundos secondo secondi seconden sekund sekunda "
    "sekunder sekundy sekunt sekuntia másodperce secunde δευτερόλεπτα секунда секунду секунды секунд сек saniye sn ثانية ثوان ثواني "
    "ثانیه שניות সেকেন্ড sekundi секунди सेकंड วินาที detik giây 秒 秒钟 초 с",
    60: "minute minutes min mins mn m minuten minuto minutos minuti minuut minuter minutt minutter minuuttia minuutti minuutti minuta minuty minut "
    "minutami perce perccel λεπτά λεπτό минута минуту минуты минут мин хвилина хвилину хвилини хвилин хв dakika dk دقيقة دقائق دقیقه "
    "דקות דקה মিনিট minuts minut минути मिनट นาที menit phút 分 分钟 分鐘 분",
    3600: "hour hours hr hrs h std stunde stunden heure heures hora horas ora ore uur uren timme timmar time timer tunti tuntia godzina "
    "godzinę godziny godzin godz hodina hodinu hodiny hodin hodinami óra órája órával oră ώρα ώρες час часа часов година годину години годин год saat "
    "sa hores sata sati часове ঘণ্টা ঘন্টা ساعة ساعات ساعت שעה שעות घंटा घंटे ชั่วโมง jam giờ 小时 小時 時間 시간 ч",
    86400: "day days d tag tage tagen jour jours j día días dia dias giorno giorni dag dagen dagar dager dage päivä päivää dzień dni den "
    "dny dnem วันที่แล้ว ημέρα ημέρες ημερών dan dana dies ден দিন napja zi zile μέρα μέρες день дня дней днів gün يوم أيام روز יום ימים दिन วัน hari ngày 天 日 일",
    604800: "week weeks w wk wks woche wochen semaine semaines semana semanas settimana settimane week weken vecka veckor uke uker "
    "tydzień tygodnie неделя неделю недели недель тиждень hafta أسبوع هفته שבוע सप्ताह สัปดาห์ minggu tuần 周 週間 주",
}
_AGO = (
    "ago fa geleden siden sedan sitten temu önce evvel назад тому lalu yang_lalu trước ที่แล้ว atrás atras πριν לפני قبل منذ پیش hace há ha "
    "perce órája napja วันที่แล้ว prije преди আগে "
    "vor il_y_a acum în_urmă för før za před ezelőtt पहले 前 전 之前 以前 earlier"
)
_NOW = (
    "now just_now moments_ago a_moment_ago seconds_ago a_few_seconds_ago gerade_eben jetzt soeben à_l'instant maintenant ahora ahora_mismo "
    "adesso ora poco_fa agora agora_mesmo nu zojuist nyss akkurat_nå juuri_nyt teraz przed_chwilą právě_teď только_что сейчас щойно şimdi "
    "az_önce الآن للتو اکنون עכשיו अभी เมื่อสักครู่ baru_saja vừa_xong 刚刚 剛剛 たった今 방금 less_than_a_minute_ago"
)
_AM = "am a.m ante_meridiem π.μ öö 上午 午前 早上 凌晨 오전 ص صباحا ق.ظ ق_ظ de_la_mañana पूर्वाह्न"
_PM = "pm p.m post_meridiem μ.μ ös 下午 午後 晚上 오후 م مساء ب.ظ ب_ظ de_la_tarde de_la_noche अपराह्न"
_TODAY = (
    "today heute aujourd'hui hoy oggi hoje vandaag idag i_dag tänään dziś dzisiaj dnes ma azi σήμερα сегодня сьогодні bugün اليوم امروز "
    "היום आज วันนี้ hari_ini hôm_nay 今天 今日 오늘"
)
_YESTERDAY = (
    "yesterday gestern hier ayer ieri ontem gisteren igår i_går eilen wczoraj včera tegnap χθες χτες вчера вчора dün أمس ديروز دیروز "
    "אתמול कल เมื่อวาน kemarin hôm_qua 昨天 昨日 어제"
)
# Words that stand beside a time and change nothing about it.
_FILLERS = (
    "at on um uhr kl klo kell à a_las a_la las la às as alle ore ora om o_godz o w v в о об у г р г. saat i de del di der den das am le el "
    "il do den the of il_giorno kello time local hrs hours hs h uur heures updated update aktualisiert mis_à_jour actualizado aggiornato "
    "published publié publicado pubblicato veröffentlicht posted first last stand modified since and und et y e от năm ngày tháng วันที่ "
    "เวลา น lúc obnovljeno الساعة ساعة في ساعت بتاريخ 发布 更新 发布于 更新于 时间 時 更新日時 입력 수정 기사입력 clock o'clock th nd rd st "
    "er ° os ª º min hod hodin"
)
_NUMBERS = {
    1: "a an one ein eine einer einem eines un une uno una um uma één een en ett et yksi jedną jeden jedna один одну одна bir egy one "
    "واحدة واحد एक",
    2: "two zwei deux dos due dois duas twee två to kaksi dwie dwa две два дві iki دو ساعتين",
    3: "three drei trois tres tre três drie tri trzy три üç",
}

# Zone abbreviations → minutes east of UTC, or an IANA name where the abbreviation leaves the season open. Ambiguous
# ones mean what news sites mean by them most (BST British Summer Time, IST India, CST and EST the United States).
_MINUTES_EAST: dict[int, str] = {
    -600: "hst",
    -540: "akst",
    -480: "pst",
    -420: "pdt mst",
    -360: "cst mdt",
    -300: "est cdt",
    -240: "edt clt",
    -210: "nst",
    -180: "brt art",
    0: "gmt utc z ut uct wet גמט",
    60: "bst west cet mez wat",
    120: "cest mesz eet sast cat msz",
    180: "eest msk мск trt ast eat idt",
    210: "irst",
    240: "gst",
    300: "pkt",
    330: "ist",
    345: "npt",
    420: "ict wib",
    480: "hkt sgt awst pht",
    540: "jst kst",
    570: "acst",
    600: "aest",
    630: "acdt",
    660: "aedt",
    720: "nzst",
    780: "nzdt",
}
_SEASONAL = {
    "et": "America/New_York",
    "ct": "America/Chicago",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
    "tsi": "Europe/Istanbul",
    "hora peninsular": "Europe/Madrid",
}


def _table(rows: dict[int, str]) -> dict[str, int]:
    return {word.replace("_", " ").strip(): value for value, words in rows.items() for word in words.casefold().split()}


def _words(words: str) -> frozenset[str]:
    return frozenset(
        word.replace("_", " ").strip() for word in words.casefold().split()
    )  # labels are casefolded: ς → σ


ZONES: dict[str, int | str] = {**_table(_MINUTES_EAST), **_SEASONAL}
MONTHS = _table(dict(enumerate(_MONTHS, 1)))
WEEKDAYS = _table(dict(enumerate(_WEEKDAYS)))
UNITS = _table(_UNITS)
NUMBERS = _table(_NUMBERS)
AGO = _words(_AGO)
NOW = _words(_NOW)
AM = _words(_AM)
PM = _words(_PM)
TODAY = _words(_TODAY)
YESTERDAY = _words(_YESTERDAY)
FILLERS = _words(_FILLERS)
CLOCK = frozenset({"uhr", "kl", "klo", "kello", "heures"})  # beside "15.47" they say that it is a time
# Dual forms of Arabic hold number and unit in one word.
DUALS = {"دقيقتين": 120, "ساعتين": 7200, "يومين": 172800, "דקותיים": 120, "שעתיים": 7200, "יומיים": 172800}
ALL = frozenset().union(MONTHS, WEEKDAYS, UNITS, NUMBERS, AGO, NOW, AM, PM, TODAY, YESTERDAY, FILLERS, DUALS, ZONES)
