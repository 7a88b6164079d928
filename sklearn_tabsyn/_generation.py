"""From a trained denoiser and a seed to encoded rows, block by block."""

import itertools
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Barrier

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats.qmc import LatinHypercube, Sobol
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from sklearn_tabsyn._evenly import even_rows
from sklearn_tabsyn._fast import keep_memory, no_denormals, one_cast
from sklearn_tabsyn._sampling import SAMPLERS, Churn

# Rows that are drawn together. Every block is computed whole, whatever number of rows
# is asked for: so each row meets the same arithmetic every time. Of shorter blocks the
# threads would wait longer for the interpreter.
BLOCK_ROWS = 2_048
# Numbers of one kind that are computed of rows that walk together, and the fewest rows.
MAX_NUMBERS, MIN_ROWS = 2**22, 128
# Threads that compute a block each.
MAX_WORKERS = 4
# Sobol points may lie on an edge, which no normal number does.
MIN_SHARE = 2.0**-31
# Rows and noise levels at which the uncertainty of a denoiser is measured, and the
# lowest and the highest of these.
N_PROFILED, N_LEVELS, LOWEST, HIGHEST = 1_024, 32, 0.002, 80.0


def generate_blocks(
    denoiser,
    sigmas,
    seed,
    *,
    n_rows=None,
    sampler="unipc",
    churn=None,
    corrections=None,
    given=None,
    redraw=None,
    choose=None,
):
    """Yield blocks of encoded rows, a few of which are computed at a time.

    Parameters
    ----------
    denoiser : Denoiser
        Trained, in evaluation mode.
    sigmas : ndarray of shape (num_steps,)
        Falling noise levels; the last is where codebook columns are decided.
    seed : sequence of int
        The n-th row depends on nothing but the seed and n.
    n_rows : int, default=None
        Rows that the blocks must hold together; they have no end if None.
    sampler : str, default="unipc"
        A key of `SAMPLERS`.
    churn : dict, default=None
        `S_churn`, `S_tmin`, `S_tmax` and `S_noise`, for samplers that take them.
    corrections : Corrections, default=None
        Of whole rows: takes the place of `sampler` and `churn`.
    given : Given, default=None
        What is given of each row; nothing if None.
    redraw : callable, default=None
        Takes what draws a block, and its place, and returns its parts, some of them
        drawn again; none are if None.
    choose : callable, default=None
        Takes the place of a block and its parts, and returns positions of the rows of
        it that are yielded; all are if None.

    Yields
    ------
    values : ndarray of shape (BLOCK_ROWS, n_values), dtype float32
        Continuous values.
    levels : ndarray of shape (BLOCK_ROWS, n_codebooks), dtype int64
        Levels of codebook columns.
    cells, known : ndarray of shape (BLOCK_ROWS, n_units)
        Only with `given`: canonical values, and which of them are given.
    """
    keep_memory()
    sigmas = [float(sigma) for sigma in sigmas]
    draw = partial(
        _draw, denoiser, sigmas, seed, SAMPLERS[sampler], churn, corrections, given
    )
    if redraw is not None:
        draw = partial(redraw, draw)
    if choose is not None:
        draw = partial(_draw_some, draw, choose)
    last = None if n_rows is None else -(-n_rows // BLOCK_ROWS)
    places = itertools.islice(itertools.count(), last)
    with _workers(denoiser.mean.device) as each:
        yield from each(draw, places)


def _draw(
    denoiser,
    sigmas,
    seed,
    sampler,
    churn,
    corrections,
    given,
    block,
    attempt=0,
    rows=None,
):
    """Return the values and levels of a block, and its cells if there are any.

    Of each attempt the noise is another one. `rows` are places of what is given, those
    of the block if None.
    """
    # Other than those of the choice among the rows of a block.
    key = (block, 2, attempt) if attempt else (block,)
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    noise = even_noise(random, len(denoiser.mean))
    sizes = denoiser.n_values, denoiser.n_codebooks
    chance = random.random((BLOCK_ROWS, sum(sizes)), dtype=np.float32)
    noise, chance = (torch.from_numpy(p).to(denoiser.mean) for p in (noise, chance))
    options, cells = {}, ()
    if churn is not None and churn["S_churn"]:
        fresh = partial(_fresh_noise, random)
        options["churn"] = Churn(fresh, len(sigmas), **churn)
    # Unlike inference mode, this remembers the short forms of the weights.
    with torch.no_grad(), one_cast(), no_denormals():
        chance = chance.split(sizes, 1)
        if corrections is not None:
            pieces = [part.split(rows_at_once(denoiser)) for part in (noise, *chance)]
            walked = [
                corrections.walk(noise, chance)
                for noise, *chance in zip(*pieces, strict=True)
            ]
            parts = map(torch.cat, zip(*walked, strict=True))
        else:
            x = denoiser.near_gaussian(noise, sigmas[0])
            if given is not None:
                if rows is None:
                    rows = np.arange(block * BLOCK_ROWS, (block + 1) * BLOCK_ROWS)
                cells, *held = given.block(denoiser, rows, random)
                denoiser = _Held(denoiser, *held)
                # What is given moves the mean.
                x = x + denoiser.denoise(x, sigmas[0]) - denoiser.mean
            x = sampler(denoiser.denoise, x, sigmas, **options)
            parts = denoiser.decode(x, x.new_full((1,), sigmas[-1]), chance)
    return *(part.cpu().numpy() for part in parts), *cells


def rows_at_once(denoiser):
    """Return how many rows of a block walk together.

    What is computed of them is then soon found again by the processor, and small enough
    for the allocator to keep.
    """
    n_outputs = sum(block.n_outputs for block in denoiser.blocks)
    n_rows = 2 ** int(np.log2(MAX_NUMBERS / n_outputs))
    return int(np.clip(n_rows, MIN_ROWS, BLOCK_ROWS))


def _draw_some(draw, choose, block):
    """Return the rows of a block that are chosen."""
    parts = draw(block)
    kept = choose(block, *parts)
    return tuple(part[kept] for part in parts)


def _fresh_noise(random, x):
    noise = random.standard_normal(tuple(x.shape), dtype=np.float32)
    return torch.from_numpy(noise).to(x.device)


@contextmanager
def _workers(device):
    """Give a `map` that computes as many blocks at a time as there are threads.

    A thread that computes a block of its own waits for others once in a block, threads
    that share one operation wait at the end of each. More than a few would wait for
    the interpreter.
    """
    n_threads = torch.get_num_threads()
    n_workers = min(n_threads, MAX_WORKERS)
    if device.type != "cpu" or n_workers == 1:
        yield map
        return
    started = Barrier(n_workers)

    def start(_):
        torch.set_num_threads(n_threads // n_workers)
        threadpool_limits(n_threads // n_workers, "openmp")  # of scikit-learn's trees
        started.wait()

    with ThreadPoolExecutor(n_workers) as pool:
        list(pool.map(start, range(n_workers)))
        torch.set_num_threads(n_threads)  # which threads to come start with
        yield partial(_map_ahead, pool, n_workers)


def _map_ahead(pool, n_workers, function, places):
    """Yield results in order, while the next are computed.

    One more than there are threads waits, so that none does.
    """
    waiting = deque()
    for place in places:
        waiting.append(pool.submit(function, place))
        if len(waiting) > n_workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Held:
    """A denoiser of rows that are given in part: what is given stays as it is."""

    def __init__(self, denoiser, batch, class_labels):
        self.denoiser, self.batch = denoiser, batch
        self.class_labels, self.mean = class_labels, denoiser.mean
        self.clean, self.given = denoiser.encode(batch), denoiser.given(class_labels)

    def denoise(self, x, sigma):
        """Return the denoised rows at a noise level."""
        return self._hold(
            self.denoiser.denoise(self._hold(x), sigma, self.class_labels)
        )

    def decode(self, x, sigma, chance):
        """Return the values and levels of rows."""
        drawn = self.denoiser.decode(self._hold(x), sigma, chance, self.class_labels)
        given = self.denoiser.unlabelled(self.class_labels)
        known = self.batch.values, self.batch.levels
        return map(torch.where, given, known, drawn)

    def _hold(self, x):
        return torch.where(self.given, self.clean, x)


def even_noise(random, n_dims):
    """Return standard normal noise that covers the rows of a block evenly.

    It lies at the points of a scrambled Sobol sequence (Owen 1998, Scrambling Sobol'
    and Niederreiter-Xing points), those of the many dimensions that it is not known for
    at points of a Latin hypercube (McKay, Beckman and Conover 1979). Every row by
    itself is standard normal, while shares and means of many rows, and of pairs of
    their coordinates, vary less than with independent draws.

    Parameters
    ----------
    random : numpy.random.Generator
        Source of the noise.
    n_dims : int
        Number of coordinates.

    Returns
    -------
    noise : ndarray of shape (BLOCK_ROWS, n_dims), dtype float32
        The noise.
    """
    n_even = min(n_dims, Sobol.MAXDIM)
    makers = Sobol(n_even, rng=random), LatinHypercube(n_dims - n_even, rng=random)
    shares = np.hstack([maker.random(BLOCK_ROWS) for maker in makers])
    return ndtri(shares.clip(MIN_SHARE, 1 - MIN_SHARE)).astype(np.float32)


def draw_whole(draw, n_rows, title, verbose=0):
    """Return the encoded rows, a number of them, of blocks that `draw` returns for it.

    Shows a progress bar with a title if `verbose` is not 0.
    """
    n_blocks = -(-n_rows // BLOCK_ROWS)
    blocks = tqdm(draw(n_rows), title, n_blocks, disable=not verbose)
    return next(cut_batches(iter(blocks), n_rows, n_rows))


def cut_batches(blocks, n_samples, batch_size):
    """Yield the first `n_samples` rows of blocks in batches of another size."""
    waiting = []
    while n_samples:
        size = min(batch_size, n_samples)
        while sum(len(block[0]) for block in waiting) < size:
            waiting.append(next(blocks))
        parts = [np.concatenate(part) for part in zip(*waiting, strict=True)]
        yield tuple(part[:size] for part in parts)
        waiting = [tuple(part[size:] for part in parts)]
        n_samples -= size


def noise_profile(denoiser, dataset):
    """Measure how uncertain denoised rows are at each noise level.

    Parameters
    ----------
    denoiser : Denoiser
        Trained, in evaluation mode.
    dataset : RowDataset
        The training rows, of which a few are taken.

    Returns
    -------
    sigmas : ndarray of shape (n_levels,), dtype float64
        Rising noise levels.
    entropy : ndarray of shape (n_levels,), dtype float64
        Mean cross-entropy of all columns, in nats.
    """
    some = even_rows(len(dataset), N_PROFILED)
    batch, _ = dataset.__getitems__(some)
    device = denoiser.mean.device
    batch = batch.to(device)
    sigmas = np.geomspace(LOWEST, HIGHEST, N_LEVELS)
    entropy = []
    with torch.inference_mode():
        clean = denoiser.encode(batch)
        noise = torch.randn_like(clean)
        for sigma in sigmas:
            level = clean.new_full((1,), float(sigma))
            noisy = clean + level[:, None] * noise
            entropy.append(float(denoiser.entropies(noisy, level, batch).mean()))
    return sigmas, np.array(entropy)
