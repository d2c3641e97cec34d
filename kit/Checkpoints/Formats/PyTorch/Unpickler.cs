using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>Reads a pickle without calling any code.</summary>
/// <remarks>
/// A pickle is a program for a stack machine. In Python, its GLOBAL and REDUCE opcodes can call any function.
/// Here a global is only a name, and a call is only a record of what would be called
/// (<see cref="PickleCalls"/>). So whatever a file holds beside its tensors can be passed over.
/// https://docs.python.org/3/library/pickletools.html.
/// </remarks>
internal sealed class Unpickler(PickleInput input)
{
    private const int MostSteps = 1 << 24;   // 100,000 tensors take 3 million
    private static readonly object Mark = new();
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];
    private readonly Dictionary<string, PickledStorage> storages = [];
    private readonly byte[] number = new byte[8];
    private long at;

    /// <summary>Storages that the pickle refers to, by key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => storages;

    /// <summary>Executes the pickle up to the STOP opcode and returns the object.</summary>
    /// <exception cref="InvalidDataException">The pickle is malformed; the message says how and where.</exception>
    public object? Load()
    {
        stack.Clear();
        memo.Clear();
        for (var step = 0; step < MostSteps; step++)
        {
            at = input.Position;
            var opcode = input.Byte();
            if (opcode == (byte)'.') return Pop();
            if (!Value((char)opcode) && !Structure((char)opcode) && !Name((char)opcode))
                throw Bad($"the opcode 0x{opcode:x2} is none of a pickle's");
        }
        throw Bad($"the pickle has more than {MostSteps} steps");
    }

    /// <summary>Executes an opcode that pushes a value; returns false if it is another opcode.</summary>
    private bool Value(char opcode)
    {
        switch (opcode)
        {
            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'K': Push((long)input.Byte()); break;
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Number(2))); break;
            case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Number(4))); break;
            case '\x8a': PushNumber(input.Byte()); break;
            case '\x8b': PushNumber(Length4()); break;
            case 'I': Push(PickleLines.Integer(input)); break;
            case 'L': Push(PickleLines.Long(input)); break;
            case 'F': Push(PickleLines.Float(input)); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Number(8))); break;
            case 'X': Push(input.Text(Length4(), Utf8)); break;
            case '\x8c': Push(input.Text(input.Byte(), Utf8)); break;
            case '\x8d': Push(input.Text(Length8(), Utf8)); break;
            case 'T': Push(input.Text(Length4(), Encoding.Latin1)); break;
            case 'U': Push(input.Text(input.Byte(), Encoding.Latin1)); break;
            case 'S' or 'V': Push(PickleLines.Text(input)); break;
            case 'B': PushBytes(Length4()); break;
            case 'C': PushBytes(input.Byte()); break;
            case '\x8e' or '\x96': PushBytes(Length8()); break;
            case '\x97': Push(new PickledPlain("a buffer")); break;
            default: return false;
        }
        return true;
    }

    /// <summary>Executes an opcode that builds or arranges values; returns false if it is another opcode.</summary>
    private bool Structure(char opcode)
    {
        switch (opcode)
        {
            case '\x80': Protocol(input.Byte()); break;
            case '\x95': input.Skip(8); break;   // the length of a frame
            case '\x98': Top(); break;           // the buffer on the stack becomes read-only
            case '(': Push(Mark); break;
            case ')' or ']' or '\x8f': Push(new PickledList([])); break;
            case '}': Push(new PickledDict()); break;
            case '\x85': Tuple(1); break;
            case '\x86': Tuple(2); break;
            case '\x87': Tuple(3); break;
            case 't' or 'l' or '\x91': Push(new PickledList(PopToMark())); break;
            case 'd':
                var pairs = PopToMark();
                Push(new PickledDict());
                SetItems(pairs);
                break;
            case 'a': Append([Pop()]); break;
            case 'e' or '\x90': Append(PopToMark()); break;
            case 's': SetItems(PopMany(2)); break;
            case 'u': SetItems(PopToMark()); break;
            case '0': Drop(); break;
            case '1': PopToMark(); break;
            case '2': Push(Top()); break;
            case 'p': memo[PickleLines.Place(input)] = Top(); break;
            case 'q': memo[input.Byte()] = Top(); break;
            case 'r': memo[Length4()] = Top(); break;
            case '\x94': memo[memo.Count] = Top(); break;
            case 'g': Push(Remembered(PickleLines.Place(input))); break;
            case 'h': Push(Remembered(input.Byte())); break;
            case 'j': Push(Remembered(Length4())); break;
            default: return false;
        }
        return true;
    }

    /// <summary>Executes an opcode that names or calls something in Python; returns false if it is another opcode.</summary>
    private bool Name(char opcode)
    {
        switch (opcode)
        {
            case 'c': Push(new PickledGlobal(input.Line(), input.Line())); break;
            case '\x93': StackGlobal(PopMany(2)); break;
            case '\x82': Push(Extension(input.Byte())); break;
            case '\x83': Push(Extension(BinaryPrimitives.ReadUInt16LittleEndian(Number(2)))); break;
            case '\x84': Push(Extension(Length4())); break;
            case 'P': throw Bad("the persistent id of a storage is a line of text");
            case 'Q': Push(Persistent()); break;
            case 'R': Reduce(PopMany(2)); break;
            case '\x81': New(PopMany(2)); break;
            case '\x92': New(PopMany(3)); break;
            case 'o': Instance(PopToMark()); break;
            case 'i': Push(new PickledObject($"{input.Line()}.{input.Line()}", PopToMark())); break;
            case 'b': Build(Pop()); break;
            default: return false;
        }
        return true;
    }

    private void Protocol(byte version)
    {
        if (version > 5) throw Bad($"the pickle has protocol {version}; the latest is 5");
    }

    private static PickledGlobal Extension(long code) => new("copyreg.extension", $"{code}");

    private void StackGlobal(List<object?> names) => Push(names is [string module, string name]
        ? new PickledGlobal(module, name) : throw Bad("a name on the stack is not a text"));

    private void Reduce(List<object?> call)
    {
        var arguments = call[1] as PickledList ?? throw Bad("a call has no tuple of arguments");
        Push(call[0] switch
        {
            PickledGlobal function => Guard(() => PickleCalls.Call(function, arguments.Items)),
            PickledObject or UnreadTensor => new PickledObject("a call", arguments.Items),
            _ => throw Bad("what is called is not a name"),
        });
    }

    private void New(List<object?> parts)
    {
        var arguments = parts[1] as PickledList ?? throw Bad("a new object has no tuple of arguments");
        Push(new PickledObject($"{parts[0] as PickledGlobal}", [.. arguments.Items, .. parts[2..]]));
    }

    private void Instance(List<object?> parts) => Push(parts.Count > 0
        ? new PickledObject($"{parts[0] as PickledGlobal}", parts[1..]) : throw Bad("an object has no class"));

    private void Build(object? state)
    {
        if (Top() is PickledObject made) made.State = state;
        else if (Top() is not (PickledDict or PickledTensor or UnreadTensor))   // their attributes are passed over
            throw Bad("attributes are set on something that has none");
    }

    /// <summary>Returns a storage, or the class of a whole module, which older files name in the same way.</summary>
    private object Persistent()
    {
        var id = Pop() as PickledList ?? throw Bad("the persistent id of a storage is not a tuple");
        if (id.Items is ["module", PickledGlobal type, ..]) return type;
        var storage = Guard(() => PickleCalls.Storage(id.Items));
        if (!storages.TryAdd(storage.Key, storage) && storages[storage.Key] != storage)
            throw Bad($"storage '{storage.Key}' is {storage.Count} elements of {storage.Type}, and "
                + $"{storages[storage.Key].Count} of {storages[storage.Key].Type} before");
        return storage;
    }

    private void Append(List<object?> items)
    {
        if (Top() is PickledList list) list.Items.AddRange(items);
        else if (Top() is PickledObject made) (made.Appended ??= []).AddRange(items);
        else throw Bad("items are appended to something that is not a list");
    }

    private void SetItems(List<object?> pairs)
    {
        if (Top() is not PickledDict dict || pairs.Count % 2 != 0) throw Bad("pairs are set on something that is not a dict");
        for (var i = 0; i < pairs.Count; i += 2)
            if (!dict.TryAdd(pairs[i] ?? new PickledPlain("None"), pairs[i + 1]) && pairs[i] is string)
                throw Bad($"a dict has the key '{pairs[i]}' twice");
    }

    private void PushNumber(uint length)
    {
        if (length > 16)
        {
            input.Skip(length);
            Push(new PickledPlain("a number"));
            return;
        }
        var bytes = new byte[length];
        input.Take(bytes, "a number");
        var value = new BigInteger(bytes);
        if (value >= long.MinValue && value <= long.MaxValue) Push((long)value);
        else Push(value);
    }

    private void PushBytes(ulong length)
    {
        input.Skip(length);
        Push(new PickledPlain("bytes"));
    }

    private void Tuple(int count) => Push(new PickledList(PopMany(count)));

    private Span<byte> Number(int size)
    {
        input.Take(number.AsSpan(0, size), "a number");
        return number;
    }

    private uint Length4() => BinaryPrimitives.ReadUInt32LittleEndian(Number(4));

    private ulong Length8() => BinaryPrimitives.ReadUInt64LittleEndian(Number(8));

    private void Push(object? value) => stack.Add(value);

    private object? Remembered(long place) =>
        memo.TryGetValue(place, out var value) ? value : throw Bad($"it recalls value {place}, which it has not memorised");

    private object? Top() => stack.Count > 0 && stack[^1] != Mark ? stack[^1] : throw Bad("it takes from an empty stack");

    private object? Pop() => PopMany(1)[0];

    /// <summary>Removes the top of the stack, which may be a mark.</summary>
    private void Drop()
    {
        if (stack.Count == 0) throw Bad("it takes from an empty stack");
        stack.RemoveAt(stack.Count - 1);
    }

    private List<object?> PopMany(int count)
    {
        if (stack.Count < count || FindMark(stack.Count - count) >= 0) throw Bad("it takes from an empty stack");
        var values = stack[^count..];
        stack.RemoveRange(stack.Count - count, count);
        return values;
    }

    private List<object?> PopToMark()
    {
        var mark = FindMark(0);
        if (mark < 0) throw Bad("it looks for a mark that was not set");
        var values = PopMany(stack.Count - mark - 1);
        stack.RemoveAt(mark);
        return values;
    }

    /// <summary>
    /// Returns the index of the last mark at or after <paramref name="first"/>; -1 if there is none.
    /// </summary>
    private int FindMark(int first)
    {
        for (var place = stack.Count - 1; place >= first; place--)
            if (ReferenceEquals(stack[place], Mark)) return place;
        return -1;
    }

    private T Guard<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (InvalidDataException error)
        {
            throw Bad(error.Message);
        }
    }

    private InvalidDataException Bad(string why) => input.Bad(why, at);
}
