import numpy as np
import onnx
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import export_onnx, open_session


@pytest.mark.parametrize(
    "scaler",
    [RobustScaler(), RobustScaler(with_centering=False), StandardScaler(), MaxAbsScaler(), MinMaxScaler()],
    ids=repr,
)
def test_a_graph_scales_to_the_last_bit_as_the_fitted_scaler(scaler):
    """A tree behind it compares what is scaled with a threshold: one float32 aside is another leaf."""
    matrix = np.random.default_rng(0).lognormal(2, 2, (2_000, 4)).astype(np.float32)
    pipeline = make_pipeline(scaler, DecisionTreeRegressor(max_depth=3)).fit(matrix, matrix[:, 0])
    graph = onnx.load_from_string(export_onnx(pipeline, 4, "regression"))
    (trees,) = (each for each in graph.graph.node if each.op_type.startswith("TreeEnsemble"))
    graph.graph.output.append(onnx.ValueInfoProto(name=trees.input[0]))
    scaled = open_session(graph.SerializeToString()).run([trees.input[0]], {INPUT_NAME: matrix})[0]
    np.testing.assert_array_equal(scaled, pipeline[0].transform(matrix))
