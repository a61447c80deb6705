"""Makes `local_names.tsv`: what other languages call countries and cities, from the CLDR facts in the `babel` package.

Run it by hand where that package is installed: `python pipeline/stages/tag/data/make_local_names.py`. Copydesk itself
does not depend on the package.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LANGUAGES = "ar bg cs da de el es fi fr hu id it ja ko nl no pl pt ro ru sv th tr uk vi zh".split()
# Chinese is written in two ways.
ALSO = {"zh": "zh_Hant"}
SHORTEST = {"zh": 2, "ja": 2, "ko": 2, "th": 5}
SHORTEST_ELSEWHERE = 4
GOOD_SHORT = {("th", key) for key in ("TH", "CN", "ES", "PE", "HT", "GR", "Cairo", "Dubai", "Taipei")}
# What is a common word, a first name or another place in that language.
LEFT_OUT = {
    ("fr", "Maurice"), ("tr", "Mali"), ("es", "Granada"), ("pt", "Granada"), ("nl", "Monaco"), ("cs", "Sofie"),
    ("ro", "Cita"), ("pl", "Praga"), ("bg", "Мали"), ("ar", "جوني"), ("ar", "سيتا"), ("ar", "مجادن"),
}  # fmt: skip
# The same where words are not parted, so that the letters stand in others: 沿海地区, 顺利马上.
LEFT_OUT |= {
    (language, name)
    for language, names in {
        "zh": "马里 馬利 海地 利马 利馬 里加 蒙古 汉堡 黑山 苏丹 蘇丹 金边 金邊 卡宴 開雲 尼日 查德 東加 班吉 根息 贝伦"
        " 貝倫 洛美 赤塔 自由市",
        "ja": "マリ チリ チャド トーゴ チタ リガ リマ ロメ",
        "ko": "인도 수단 오만 이란 가나 말리 건지 저지 방기 다윈 치타 오랄 피지 부탄 로메 나소 다카 살타"
        " 딜리 주바 리마",
        "th": "ปราก ออรัล ชีวาวา เอเดน",
    }.items()
    for name in names.split()
}
# Large cities that have no time zone of their own, by the name in `cities.tsv`, and other names of countries, by code.
MORE = {
    "de": "Munich=München Cologne=Köln Milan=Mailand Venice=Venedig Florence=Florenz Naples=Neapel Turin=Turin"
    " Geneva=Genf Nice=Nizza Krakow=Krakau Gdansk=Danzig Beijing=Peking Mumbai=Mumbai",
    "fr": "Cologne=Cologne Munich=Munich Milan=Milan Venice=Venise Florence=Florence Naples=Naples Geneva=Genève"
    " Barcelona=Barcelone Seville=Séville Beijing=Pékin Hamburg=Hambourg Antwerpen=Anvers Krakow=Cracovie",
    "es": "Munich=Múnich Cologne=Colonia Milan=Milán Venice=Venecia Florence=Florencia Naples=Nápoles Turin=Turín"
    " Geneva=Ginebra Seville=Sevilla Beijing=Pekín Hamburg=Hamburgo Krakow=Cracovia Marseille=Marsella",
    "it": "Munich=Monaco|di|Baviera Milan=Milano Venice=Venezia Florence=Firenze Naples=Napoli Turin=Torino"
    " Genoa=Genova Geneva=Ginevra Barcelona=Barcellona Seville=Siviglia Beijing=Pechino Hamburg=Amburgo",
    "pt": "Munich=Munique Cologne=Colónia Milan=Milão Venice=Veneza Florence=Florença Naples=Nápoles Geneva=Genebra"
    " Seville=Sevilha Beijing=Pequim Hamburg=Hamburgo Marseille=Marselha",
    "zh": "Beijing=北京 Guangzhou=广州 Guangzhou=廣州 Shenzhen=深圳 Tianjin=天津 Chongqing=重庆 Wuhan=武汉 Chengdu=成都"
    " Nanjing=南京 Hangzhou=杭州 Shenyang=沈阳 Osaka=大阪 Kyoto=京都 Munich=慕尼黑 Milan=米兰 Mumbai=孟买 Geneva=日内瓦"
    " Barcelona=巴塞罗那 Delhi=新德里 Washington=华盛顿 KP=朝鲜 MN=蒙古国 MN=蒙古國",
    "ja": "Osaka=大阪 Kyoto=京都 Nagoya=名古屋 Sapporo=札幌 Fukuoka=福岡 Kobe=神戸 Hiroshima=広島 Beijing=北京"
    " Munich=ミュンヘン Milan=ミラノ Geneva=ジュネーブ Washington=ワシントン Barcelona=バルセロナ"
    " US=米国 US=アメリカ GB=英国 KP=北朝鮮",
    "ko": "Busan=부산 Incheon=인천 Daegu=대구 Beijing=베이징 Osaka=오사카 Munich=뮌헨 Milan=밀라노 Geneva=제네바"
    " Washington=워싱턴 KR=한국 KP=북한",
    "th": "Chiang|Mai=เชียงใหม่ Beijing=ปักกิ่ง Osaka=โอซากา Washington=วอชิงตัน TH=ไทย CN=จีน US=สหรัฐ GB=อังกฤษ",
    "nl": "Munich=München Cologne=Keulen Milan=Milaan Venice=Venetië Antwerpen=Antwerpen Beijing=Peking Geneva=Genève",
}


def spoken(language: str) -> dict[str, tuple[str, str]]:
    """Names of one language: what each is, a country by its code or a city by its zone."""
    # By name, since the package is no dependency and type checkers would miss it.
    parse: Any = import_module("babel").Locale.parse
    found: dict[str, tuple[str, str]] = {}
    for locale in map(parse, filter(None, (language, ALSO.get(language)))):
        for code, name in locale.territories.items():
            if len(code) == 2 and code.isalpha():
                found.setdefault(name, ("country", code))
        for zone, names in locale.time_zones.items():
            if "city" in names:
                found.setdefault(names["city"], ("city", zone.rpartition("/")[2].replace("_", " ")))
    for pair in MORE.get(language, "").split():
        key, _, name = pair.replace("|", " ").partition("=")
        found.setdefault(name, ("country" if len(key) == 2 and key.isupper() else "city", key))
    return found


def main() -> None:
    """Write the file beside this one: language, name, and ISO code or GeoNames id."""
    countries = {row[0]: row[2] for row in _rows("countries.tsv")}
    # The largest of each name; rows are in that order.
    cities: dict[str, str] = {}
    for number, name, *_ in _rows("cities.tsv"):
        cities.setdefault(name, number)
    known = {*countries.values(), *cities}
    lines = []
    for language in LANGUAGES:
        for name, (kind, key) in sorted(spoken(language).items()):
            target = cities.get(key) if kind == "city" else key if key in countries else None
            shortest = 3 if (language, key) in GOOD_SHORT else SHORTEST.get(language, SHORTEST_ELSEWHERE)
            if target and name not in known and len(name) >= shortest and (language, name) not in LEFT_OUT:
                lines.append(f"{language}\t{name}\t{target}\n")
    (HERE / "local_names.tsv").write_text("".join(lines), encoding="utf-8")


def _rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
