"""A report every night. The AWS role of the workers is in the scope's callers."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("looker_reports", schedule="0 3 * * *", start_date=datetime(2026, 1, 1), catchup=False):
    BashOperator(
        task_id="report",
        bash_command="looker-token exec --scope sales --proxy -- python3 /opt/reports/job.py",
    )
