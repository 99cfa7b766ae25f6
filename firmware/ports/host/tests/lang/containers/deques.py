# deque and heapq.
from collections import deque
import heapq

def fails(action):
    try:
        print('no error:', action())
    except Exception as e:
        print(type(e).__name__, e)

d = deque((), 3)
print(len(d), bool(d), list(d))
for i in range(5):
    d.append(i)
    print(list(d), d[0], d[-1])
d.appendleft('l'); print(list(d))
print(d.pop(), d.popleft(), list(d), len(d))
d.extend('xyz'); print(list(d)); d[1] = 'Y'; print(list(d), d[-3])
for x in d:
    print(x, end=' ')
print(list(deque(range(10), 4)), list(deque([], 0)), 'Y' in d)
z = deque([1], 0); z.append(1); z.appendleft(2); print(len(z))
f = deque((1, 2), 2, 1)
fails(lambda: f.append(3))
fails(lambda: f.appendleft(3))
fails(lambda: deque((1, 2, 3), 2, 1))
fails(lambda: deque([], 1).pop())
fails(lambda: deque([], 1).popleft())
fails(lambda: d[5])
fails(lambda: d['a'])
fails(lambda: deque())
fails(lambda: deque([]))
fails(lambda: deque([], -1))
fails(lambda: deque(1, 1))
def delete(): del d[0]
fails(delete)
q = deque((), 1000)
total = 0
for i in range(3000):
    q.append(i)
    if i % 3:
        total += q.popleft()
print(len(q), total, q[0], q[-1], sum(q))
while q:
    q.pop() if len(q) % 2 else q.popleft()
print(len(q))

h = []
for x in (5, 3, 8, 1, 9, 2, 7):
    heapq.heappush(h, x)
print(h[0], [heapq.heappop(h) for _ in range(7)], h)
h = [i * 37 % 101 for i in range(101)]
heapq.heapify(h)
print([heapq.heappop(h) for _ in range(101)] == list(range(101)))
h = []
for word in 'the quick brown fox'.split():
    heapq.heappush(h, (len(word), word))
print([heapq.heappop(h) for _ in range(4)])
fails(lambda: heapq.heappop([]))
fails(lambda: heapq.heappush((), 1))
fails(lambda: heapq.heappush([1], 'a'))
