"""Published design-based means, and the laws of weighting."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.weighting import kish_n_eff, poststratify, rake, survey_mean, trim

# Lumley's survey package, apistrat: California's Academic Performance Index 2000 of 200 schools, by type
STRATIFIED = {
    "E": (
        4421,
        (
            "840 516 531 501 720 805 778 731 592 669 497 638 534 705 761 771 751 474 832 559 765 744 865 782 745 "
            "892 619 616 703 509 806 759 740 642 565 726 863 765 893 398 539 776 580 503 724 476 529 870 746 836 "
            "756 423 588 606 632 651 553 676 861 588 597 884 819 542 509 493 893 709 596 609 671 720 669 650 836 "
            "542 578 814 777 719 617 856 723 609 676 668 421 667 631 845 631 696 714 788 667 568 847 679 477 521 "
        ),
    ),
    "H": (
        755,
        (
            "467 522 455 509 681 666 582 641 510 527 681 724 525 712 680 784 743 593 518 770 721 713 816 641 667 "
            "610 618 717 610 868 678 418 712 784 472 764 646 585 556 600 599 706 409 635 477 710 453 546 646 624 "
        ),
    ),
    "M": (
        1018,
        (
            "496 505 409 609 867 685 647 745 694 676 870 500 679 552 559 650 565 443 774 668 581 878 753 528 678 "
            "535 667 534 648 551 485 765 743 403 695 551 467 669 773 780 693 635 660 733 657 606 522 601 819 627 "
        ),
    ),
}
# apiclus2: 40 of 757 districts; in each the number of its schools, and the index of those drawn
TWO_STAGES = (
    "1:821 1:773 3:600,740,716 1:811 3:472,520,568 3:591,544,612 4:926,890,903,901 1:453 "
    "4:569,545,584,601 11:622,610,622,783,612 2:536,524 1:636 5:666,698,713,614,701 4:927,934,933,903 "
    "5:911,889,874,861,842 4:652,554,553,601 1:607 5:717,646,644,631,690 2:622,566 5:615,596,547,541,621 "
    "5:912,929,909,951,912 2:759,803 36:660,502,479,545,478 1:710 28:769,865,808,840,840 "
    "7:818,821,868,892,824 72:580,807,537,690,489 14:641,542,645,543,486 7:756,795,773,772,743 2:794,751 "
    "4:631,555,608,627 3:772,738,670 2:673,711 2:730,711 1:468 9:766,742,776,742,626 1:747 2:620,602 "
    "6:895,844,869,851,861 1:653 "
)

# apiclus1: all schools of 15 of 757 districts, a district a word; index and number of pupils
CLUSTERS = (
    "608/1689,684/288,612/294,710/143,729/307,714/311,759/362,585/263,625/583,664/886,669/955 443/418,467/574,"
    "482/286,496/158 411/372,494/308 493/358,592/921,550/375,689/962,598/954,628/370,652/596,628/485,832/254,"
    "777/465,709/481,709/425,736/312 561/360,555/323 696/442,631/508,564/166,602/525 529/388,491/266,510/671,"
    "547/343 814/466,806/516,715/489,785/300,720/728,905/512,617/972,630/619,629/562,696/358,476/626,757/396,"
    "825/571,595/715,552/345,847/850 714/258,724/170,687/210,723/467,662/117,699/196,807/205,679/233,691/324 "
    "622/370,754/309,655/414,764/303,795/407,505/504,638/371,733/374,523/631,511/432,710/299,657/500,602/499,"
    "490/748,664/356,651/302,603/594,698/527,511/446,814/436,669/381,711/464,538/462,705/320,595/437,551/295,"
    "762/512,521/343,709/404,780/504,780/411,722/637,828/555,737/491 595/1585,661/1855,502/385,614/1015,585/483,"
    "582/576,642/1405,536/549,746/352,667/564,629/540,745/290,674/523,637/379,696/391,632/403,639/613,745/596,"
    "789/520,656/1573,789/371 517/1908,478/2181,582/2106,592/532,587/381,553/624,516/704,535/602,566/686,481/607,"
    "472/209,559/643,610/331,599/641,551/479,554/535,561/561,505/695,492/426,504/657,487/300,627/612,465/466,"
    "529/352,625/559,436/363,542/558,515/257,461/1243,528/1260,512/1306,508/1344,670/119,760/818,652/118,546/145,"
    "717/486 701/371,748/377,735/265,699/930,685/336,827/448,711/1023,677/387,759/940,697/525,742/427,691/390,"
    "700/358 551/274 703/2147,676/479,714/441,842/476,824/511,717/385,836/443,733/696,719/332,817/738,749/425,"
    "781/302"
)


def numbers(text: str) -> Any:
    return np.array(text.split(), dtype=np.float64)


def stratified() -> tuple[Any, Any, Any, Any]:
    """Values, weights, strata, sizes."""
    parts = [(kind, size, numbers(text)) for kind, (size, text) in STRATIFIED.items()]
    return (
        np.concatenate([y for *_, y in parts]),
        np.concatenate([np.full(len(y), size / len(y)) for _, size, y in parts]),
        np.concatenate([np.full(len(y), kind) for kind, _, y in parts]),
        np.concatenate([np.full(len(y), size) for _, size, y in parts]),
    )


def test_a_mean_and_a_total_of_clusters_match_the_survey_package() -> None:
    # survey 4.1.1, and printed in its documentation: 644.17, SE 23.542; pupils 3404940, SE 932235
    districts = [word.split(",") for word in CLUSTERS.split()]
    district = np.repeat(np.arange(len(districts)), [len(schools) for schools in districts])
    index, pupils = np.array([school.split("/") for schools in districts for school in schools], dtype=float).T
    rows = len(index)
    weights, sizes = np.full(rows, 33.846996307373), np.full(rows, 757)
    got = survey_mean(index, weights, None, district, sizes)
    assert (got.mean, got.se) == pytest.approx((644.169398907104, 23.542240693781), abs=1e-6)
    got = survey_mean(pupils, weights, None, district, sizes)
    assert (got.total, got.total_se) == pytest.approx((3404940.13452911, 932235.027041215), rel=1e-9)


def test_who_was_drawn_and_did_not_answer_stays_in_the_design() -> None:
    """With a weight of 0, as survey's na.rm does it: four were drawn of a hundred, three answered."""
    y, weights = np.array([50.0, 70, 0, 90]), np.array([25.0, 25, 0, 25])
    got = survey_mean(y, weights, None, None, [100] * 4)
    share = weights * (y - 70) / 75
    assert got.mean == pytest.approx(70)
    assert got.se == pytest.approx(np.sqrt((1 - 4 / 100) * 4 / 3 * (share**2).sum()))


def test_a_stratified_mean_matches_the_survey_package() -> None:
    # survey 4.1.1, and printed in its documentation: 662.29, SE 9.4089; without the finite population 9.5361
    y, weights, strata, sizes = stratified()
    got = survey_mean(y, weights, strata, None, sizes)
    assert (got.mean, got.se) == pytest.approx((662.287363159321, 9.40894080278458), abs=1e-6)
    assert survey_mean(y, weights, strata).se == pytest.approx(9.53613229692516, abs=1e-6)


def test_a_two_stage_mean_matches_the_survey_package() -> None:
    # survey 4.1.1, and printed in its documentation: 670.81, SE 30.099
    rows = [
        (float(value), district, float(schools), len(drawn.split(",")))
        for district, (schools, drawn) in enumerate(part.split(":") for part in TWO_STAGES.split())
        for value in drawn.split(",")
    ]
    y, district, schools, drawn = np.array(rows).T
    clusters, sizes = np.column_stack([district, np.arange(len(y))]), np.column_stack([np.full(len(y), 757), schools])
    got = survey_mean(y, 757 / 40 * schools / drawn, None, clusters, sizes)
    assert (got.mean, got.se) == pytest.approx((670.811808118081, 30.0990273768366), abs=1e-6)


def test_a_census_has_no_error_and_an_endless_population_needs_no_second_stage() -> None:
    census = survey_mean([1, 2, 3], [1, 1, 1], None, None, [3, 3, 3])
    assert (census.mean, census.se, census.total, census.total_se) == (2, 0, 6, 0)
    clusters = [[0, 0], [0, 1], [1, 2], [1, 3]]
    endless = survey_mean([1, 2, 5, 6], np.ones(4), None, clusters)
    assert endless.se == pytest.approx(survey_mean([1, 2, 5, 6], np.ones(4), None, [0, 0, 1, 1]).se)
    assert survey_mean([4.0], [2.0], None, None, [1]).total_se == 0


def test_simple_sampling_is_the_textbook_error() -> None:
    y = np.array([3.0, 5, 8, 9])
    assert survey_mean(y, np.full(4, 7.0)).se == pytest.approx(y.std(ddof=1) / 2)
    assert survey_mean(y, np.full(4, 2.0), ["a"] * 4, None, np.full(4, 8)).total_se == pytest.approx(
        8 * y.std(ddof=1) / 2 * np.sqrt(0.5)
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (([1, 2], [1]), "weights: must have the shape of y"),
        (([[1]], [1]), "weights: must have the shape of y"),
        (([1, 2], [0, 0]), "weights: must be a line"),
        (([1, 2], [1, -1]), "weights: must be a line"),
        (([1, np.nan], [1, 1]), "y: must be finite"),
        (([1, 2], [1, 1], [1]), "strata: must have 2 rows"),
        (([1, 2], [1, 1], None, [[[1]], [[2]]]), "clusters: must have 2 rows"),
        (([1, 2], [1, 1], None, None, [[3, 3], [3, 3]]), "sizes: must have the shape of clusters"),
        (([1, 2], [1, 1], None, None, [1, 1]), "sizes: 1 units are in the population, 2 were drawn"),
        (([1, 2], [1, 1], ["a", "b"], None, [5, 5]), "clusters: a stratum has one unit of several"),
    ],
)
def test_a_faulty_design_is_refused(arguments: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        survey_mean(*arguments)


def test_respondents_stand_for_their_stratum() -> None:
    got = poststratify([10, 5], [200, 50])
    assert got.weights.tolist() == [20, 10]
    assert got.collapsed == ()


def test_thin_strata_are_taken_together_by_name() -> None:
    got = poststratify([10, 4, 2, 30], [100, 40, 50, 300], names=["north", "east", "south", "west"])
    assert got.weights.tolist() == [10, 15, 15, 10]
    assert got.group.tolist() == [0, 1, 1, 3]
    assert got.collapsed == ("east", "south")


def test_a_group_that_stays_thin_takes_the_next_stratum_in() -> None:
    got = poststratify([10, 2, 6], [100, 30, 50])
    assert got.weights.tolist() == [10, 10, 10]
    assert got.group.tolist() == [0, 1, 1]
    assert got.collapsed == ("1", "2")
    empty_frame = poststratify([10, 9, 6], [100, 0, 90])
    assert empty_frame.weights.tolist() == [10, 6, 6]


def test_a_single_thin_stratum_and_one_without_answers() -> None:
    assert poststratify([3], [60]).weights.tolist() == [20]
    assert poststratify([3], [60]).collapsed == ()
    got = poststratify([8, 0], [80, 40], names=["a", "b"])
    assert got.weights.tolist() == [15, 0]
    assert got.collapsed == ("a", "b")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 500)), min_size=1, max_size=6))
def test_weighted_respondents_add_up_to_the_frame(rows: list[tuple[int, int]]) -> None:
    n, frame = np.array(rows).T
    if n.sum() and frame.sum():
        got = poststratify(n, frame)
        assert got.weights @ n == pytest.approx(frame.sum())


@pytest.mark.parametrize(
    ("counts", "sizes", "names", "why"),
    [
        ([1], [1, 2], None, "sizes: must have the shape of counts"),
        ([[1]], [[1]], None, "sizes: must have the shape of counts"),
        ([-1, 5], [1, 2], None, "counts, sizes: must not be below 0"),
        ([0, 0], [1, 2], None, "counts, sizes: nobody answered"),
        ([1, 0], [0, 0], None, "counts, sizes: nobody answered"),
        ([9, 9], [1, 2], ["a"], "names: must be 2, are 1"),
    ],
)
def test_faulty_strata_are_refused(counts: Any, sizes: Any, names: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        poststratify(counts, sizes, names=names)


def test_weights_are_cut_at_four_times_the_median() -> None:
    assert trim([1, 1, 2, 50, 0]).tolist() == [1, 1, 2, 6, 0]
    assert trim([1, 1, 9], times=2).tolist() == [1, 1, 2]
    with pytest.raises(ValueError, match="times: must be at least 1"):
        trim([1], times=0.5)


def test_unequal_weights_cost_precision() -> None:
    assert kish_n_eff([2, 2, 2]) == pytest.approx(3)
    assert kish_n_eff([1e300, 1e300, 0]) == pytest.approx(2)
    assert kish_n_eff([3, 1]) == pytest.approx(1.6)
    with pytest.raises(ValueError, match="weights: must be a line"):
        kish_n_eff([])


def test_raking_reaches_both_margins_and_keeps_the_odds() -> None:
    table = rake([[40, 30, 20], [35, 50, 100]], [[150, 300], [90, 140, 220]])
    assert table.sum(axis=1) == pytest.approx([150, 300])
    assert table.sum(axis=0) == pytest.approx([90, 140, 220])
    assert table[0, 0] * table[1, 1] / table[0, 1] / table[1, 0] == pytest.approx(40 * 50 / 30 / 35)


def test_raking_keeps_what_fits_and_empty_cells_stay_empty() -> None:
    table = np.arange(8.0).reshape(2, 2, 2) + 1
    fitted = rake(table, [table.sum(axis=(1, 2)), table.sum(axis=(0, 2)), table.sum(axis=(0, 1))])
    assert fitted == pytest.approx(table)
    assert rake([[5, 0], [5, 5]], [[2, 8], [6, 4]])[0].tolist() == pytest.approx([2, 0])
    assert rake([[5, 0], [5, 0]], [[2, 8], [10, 0]]).tolist() == [pytest.approx([2, 0]), pytest.approx([8, 0])]


@pytest.mark.parametrize(
    ("cells", "margins", "why"),
    [
        ([[1, 2]], [[3]], "margins: must be one for each of the 2 axes"),
        ([], [[]], "margins: must be one for each"),
        ([[1, -2]], [[1], [1, 0]], "cells: must not be below 0"),
        ([[1, 2]], [[3], [1, 2, 3]], r"margins\[1\]: must have shape"),
        ([[1, 2]], [[3], [4, -1]], "margins: must not be below 0"),
        ([[1, 2]], [[3], [1, 1]], "margins: must have the same sum"),
        ([[1, 0]], [[3], [1, 2]], r"margins\[1\]: people are expected where there is no cell"),
        ([[1, 0], [1, 1]], [[5, 1], [1, 5]], "margins: no table with these empty cells"),
    ],
)
def test_faulty_margins_are_refused(cells: Any, margins: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        rake(cells, margins)
