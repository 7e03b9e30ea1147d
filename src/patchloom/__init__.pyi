from . import errors as errors, events as events
from .burst import burst as burst
from .canvas import Place as Place
from .errors import (
    BudgetError as BudgetError,
    Cancelled as Cancelled,
    InputError as InputError,
    MaskError as MaskError,
    MissingExtra as MissingExtra,
    OutputError as OutputError,
    PatchloomError as PatchloomError,
    PhotoError as PhotoError,
    SettingsError as SettingsError,
    WeightsError as WeightsError,
)
from .events import CancelToken as CancelToken
from .extension import extend as extend
from .film import fill_frames as fill_frames
from .harmony.harmoniser import (
    Harmoniser as Harmoniser,
    harmonise as harmonise,
    paste as paste,
)
from .inpainter import (
    FillResult as FillResult,
    Inpainter as Inpainter,
    inpaint as inpaint,
)
from .library import Library as Library
from .mask import Mask as Mask
from .networks.weights import register_network as register_network
from .photo import Photo as Photo
from .references import Reference as Reference
from .settings import (
    PRESETS as PRESETS,
    FillSettings as FillSettings,
    HarmoniseSettings as HarmoniseSettings,
    RunSettings as RunSettings,
    fill_settings as fill_settings,
)
from .tiling import tile as tile

__version__: str
