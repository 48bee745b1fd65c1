"""What is scraped where several workers answer."""

import os
import subprocess
import sys

from tests.serving.running_service import ROOT

ONE_WORKER_DIES = """
import os
from serving.endpoints.metrics_endpoint import exposition
from serving.metrics import Metrics
child = os.fork()
metrics = Metrics(["a"], [])
metrics.model_loaded("a", "m", "2" if child else "1")
metrics.answered("a", 200, 0.1)
if not child:
    metrics.settle()
    os._exit(0)
os.waitpid(child, 0)
print(exposition(metrics).decode())
"""


def test_the_model_of_a_worker_that_has_died_is_not_shown_and_its_answers_stay_counted(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", ONE_WORKER_DIES]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
    models = [line for line in ended.stdout.splitlines() if line.startswith("serving_model_info{")]
    assert models == ['serving_model_info{model="m",version="2",view="a"} 1.0']
    assert 'serving_requests_total{problem="",status="200",view="a"} 2.0' in ended.stdout
