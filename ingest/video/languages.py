"""Names of languages as files declare them."""

from __future__ import annotations

_THREE = (
    "ara=ar ben=bn bos=bs bul=bg cat=ca ces=cs cze=cs chi=zh zho=zh dan=da deu=de ger=de dut=nl nld=nl ell=el gre=el "
    "eng=en est=et eus=eu baq=eu fas=fa per=fa fin=fi fra=fr fre=fr gle=ga glg=gl heb=he hin=hi hrv=hr hun=hu hye=hy "
    "arm=hy ind=id isl=is ice=is ita=it jpn=ja kan=kn kat=ka geo=ka kaz=kk kor=ko lav=lv lit=lt mal=ml mar=mr mkd=mk "
    "mac=mk msa=ms may=ms nob=nb nor=no nno=nn pol=pl por=pt pan=pa ron=ro rum=ro rus=ru slk=sk slo=sk slv=sl spa=es "
    "sqi=sq alb=sq srp=sr swa=sw swe=sv tam=ta tel=te tgl=tl tha=th tur=tr ukr=uk urd=ur vie=vi"
)
_SHORT = dict(pair.split("=") for pair in _THREE.split())
_KNOWN = frozenset(_SHORT.values())


def language_code(tag: str) -> str | None:
    """ISO 639-1 code of a language tag (`en`, `en-US`, `eng`), None for anything else."""
    base = tag.replace("_", "-").split("-")[0].lower()
    return base if base in _KNOWN else _SHORT.get(base)
