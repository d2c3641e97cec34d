using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Finds values that contain themselves or nest very deeply in lists, tuples and records. The <c>ToString</c> that the compiler
/// writes for records, and that of tuples, would overflow the stack there.
/// </summary>
/// <remarks>It reads fields alone: it runs no code of the value and enumerates no sequence that is computed.</remarks>
internal static class DeepValues
{
    private const int Deepest = 60;
    private const int MostItems = 20;      // of a list, as the formatters show
    private const int MostVisits = 10_000;
    private static readonly ConcurrentDictionary<Type, Kind> Kinds = new();
    private static readonly ConcurrentDictionary<Type, FieldInfo[]> Fields = new();

    private enum Kind
    {
        Leaf,
        List,
        Tuple,
        Record,
        Class,
    }

    /// <summary>Returns whether a value contains itself or nests too deeply to be formatted.</summary>
    public static bool Has(object? value)
    {
        if (value is null || KindOf(value) == Kind.Leaf) return false;
        var classes = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var left = new Stack<(object Value, int Depth)>([(value, 0)]);
        for (var visits = 0; visits < MostVisits && left.TryPop(out var next); visits++)
        {
            if (next.Depth > Deepest) return true;
            var kind = KindOf(next.Value);
            if (kind == Kind.Class && !classes.Add(next.Value)) continue;
            var depth = kind == Kind.Class ? 0 : next.Depth + 1;   // its ToString is that of object, or has a check
            foreach (var part in Parts(next.Value, kind))
                if (part is not null && KindOf(part) != Kind.Leaf) left.Push((part, depth));
        }
        return false;
    }

    private static IEnumerable<object?> Parts(object value, Kind kind) => kind switch
    {
        Kind.List when value is IDictionary entries =>
            BoundedText.Entries(entries).Take(MostItems).SelectMany(entry => new[] { entry.Key, entry.Value }),
        Kind.List => ((IEnumerable)value).Cast<object?>().Take(MostItems),
        Kind.Tuple => Enumerable.Range(0, ((ITuple)value).Length).Select(i => ((ITuple)value)[i]),
        Kind.Leaf => [],
        _ => Fields.GetOrAdd(value.GetType(), FieldsOf).Select(field => field.GetValue(value)),
    };

    private static Kind KindOf(object value) => Kinds.GetOrAdd(value.GetType(), Look);

    private static Kind Look(Type type)
    {
        if (type.IsPrimitive || type.IsEnum || type.IsPointer || type == typeof(string)) return Kind.Leaf;
        if (typeof(Delegate).IsAssignableFrom(type)) return Kind.Leaf;
        if (typeof(ITuple).IsAssignableFrom(type)) return Kind.Tuple;
        if (type.IsArray) return type.GetElementType()!.IsPrimitive ? Kind.Leaf : Kind.List;
        if (typeof(ICollection).IsAssignableFrom(type)
            && type.Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) == true) return Kind.List;
        if (IsWritten(type)) return Kind.Record;
        return type.Assembly.IsDynamic || type.Assembly.Location.Length == 0 ? Kind.Class : Kind.Leaf;   // of a cell
    }

    /// <summary>Whether the compiler writes the type's <c>ToString</c>: a record, an anonymous type, or a pair.</summary>
    private static bool IsWritten(Type type) =>
        type.GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(StringBuilder)]) is not null
        || type.Name.StartsWith("<>f__AnonymousType", StringComparison.Ordinal)
        || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>));

    private static FieldInfo[] FieldsOf(Type type)
    {
        var fields = new List<FieldInfo>();
        for (var one = type; one is not null && one != typeof(object); one = one.BaseType)
            fields.AddRange(one.GetFields(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly));
        return [.. fields.Where(field =>
            !field.FieldType.IsPrimitive && !field.FieldType.IsPointer && !field.FieldType.IsByRefLike)];
    }
}
