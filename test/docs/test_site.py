# Copyright 2026 il_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The documents as a site: every page is reachable, every internal link leads somewhere."""

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs'
PAGES = sorted(DOCS.rglob('*.md'))
LONGEST_README = 120


def without_code(text: str) -> str:
    """Return a page without its code blocks."""
    return re.sub(r'^```.*?^```$', '', text, flags=re.DOTALL | re.MULTILINE)


def links(path: Path) -> list[tuple[str, str]]:
    """Return the internal links and pictures of a page: target and anchor."""
    found = re.findall(r'\]\(([^)\s]+)\)', without_code(path.read_text()))
    return [(one.partition('#')[0], one.partition('#')[2]) for one in found
            if not re.match(r'[a-z]+:', one)]


def trees(path: Path) -> list[Path]:
    """Return the pages that the tables of contents of a page list."""
    listed = re.findall(r'^```\{toctree\}\n(.*?)^```$', path.read_text(),
                        re.DOTALL | re.MULTILINE)
    return [(path.parent / f'{line}.md').resolve() for block in listed
            for line in block.splitlines() if line and not line.startswith(':')]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    titles = re.findall(r'^#+ (.+)$', without_code(path.read_text()), re.MULTILINE)
    return {re.sub(r'[^\w -]', '', title.lower()).replace(' ', '-') for title in titles}


def test_every_page_is_in_the_table_of_contents_once():
    reached, rest = [DOCS / 'index.md'], trees(DOCS / 'index.md')
    while rest:
        page = rest.pop()
        assert page.is_file(), page
        assert page not in reached, page
        reached.append(page)
        rest += trees(page)
    assert sorted(reached) == PAGES


def test_every_page_of_the_site_can_be_reached_from_the_readme_by_links():
    reached, rest = set(), [ROOT / 'README.md']
    while rest:
        page = rest.pop()
        if page not in reached:
            reached.add(page)
            rest += [found for target, _ in links(page) if target.endswith('.md')
                     and (found := (page.parent / target).resolve()).is_file()]
    only_on_the_site = {DOCS / 'index.md', DOCS / 'changes.md'}
    assert not set(PAGES) - reached - only_on_the_site


@pytest.mark.parametrize('path', [ROOT / 'README.md', *PAGES],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_every_internal_link_of_a_page_resolves(path):
    for target, anchor in links(path):
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f'{target}#{anchor}'


@pytest.mark.parametrize('path', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_of_the_site_links_only_what_the_site_has(path):
    outside = [target for target, _ in links(path)
               if target and DOCS not in (path.parent / target).resolve().parents]
    assert not outside


@pytest.mark.parametrize('path', [ROOT / 'README.md', *PAGES],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_begins_with_its_one_title(path):
    text = without_code(path.read_text())
    assert text.startswith('# ')
    assert len(re.findall(r'^# ', text, re.MULTILINE)) == 1


def test_the_readme_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= LONGEST_README


def test_what_builds_the_site_is_pinned():
    for name in ('docs', 'constraints-docs'):
        lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
        assert all('==' in line for line in lines if line and line[0] not in '#-')
