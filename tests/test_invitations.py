import segmenter


def test_the_invited_and_the_control_group_are_recorded_with_the_names_of_their_segments(small_shop):
    settings = segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "scoring": "weighted", "plan.size": 80, "plan.holdout": 0.2, "segments.k": 3}
    )
    plan = segmenter.plan_launch(small_shop, settings)
    recorded = plan.invitations
    assert set(recorded.filter(status="planned")["customer_id"]) == set(plan.invite_list["customer_id"])
    assert recorded.filter(status="held_out").height == plan.counts["held_out"] > 0
    assert recorded["customer_id"].n_unique() == recorded.height
    assert set(recorded["segment"]) <= {str(name) for name in plan.segmentation.names}
    assert recorded["planned_at"].null_count() == 0
