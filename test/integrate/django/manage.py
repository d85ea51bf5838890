"""The Django project that the app of docs/integrate.md is put into by its test."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == '__main__':
    os.environ['DJANGO_SETTINGS_MODULE'] = 'project.settings'
    execute_from_command_line(sys.argv)
