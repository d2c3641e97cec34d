using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.FSharp.Core;
using Microsoft.FSharp.Reflection;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>What a .NET object consists of, for languages that have other types: its members by name, or a value.</summary>
/// <param name="Members">The members by name, of a record or another object of data.</param>
/// <param name="Value">The value, of an F# option or a union case without fields.</param>
/// <param name="IsValue">Whether there is a value instead of members.</param>
internal sealed record ObjectParts(IReadOnlyList<(object Key, object? Value)> Members, object? Value = null, bool IsValue = false)
{
    private static readonly Type[] NoData =
    [
        typeof(IDisposable), typeof(Delegate), typeof(Task), typeof(MemberInfo), typeof(Assembly), typeof(Exception),
        typeof(IntPtr), typeof(UIntPtr), typeof(CancellationToken), typeof(Pointer),
    ];

    /// <summary>Returns the parts of an object; null if it is no object of data.</summary>
    /// <exception cref="ArgumentException">A property throws.</exception>
    public static ObjectParts? Of(object value, string name)
    {
        var type = value.GetType();
        if (FSharpText.Prints(type)) return OfFSharp(value, type);
        if (NoData.Any(kind => kind.IsAssignableFrom(type))) return null;
        var members = DataMembers(type).Select(member => ((object)member.Name, Read(value, member, name))).ToList();
        return members.Count > 0 ? new ObjectParts(members) : null;
    }

    /// <summary>Returns whether a type is a dictionary: a collection of pairs of key and value.</summary>
    public static bool IsDictionary(Type type) => typeof(IDictionary).IsAssignableFrom(type)
        || Has(type, typeof(IDictionary<,>)) || Has(type, typeof(IReadOnlyDictionary<,>));

    /// <summary>Returns whether a type is a set.</summary>
    public static bool IsSet(Type type) => Has(type, typeof(ISet<>)) || Has(type, typeof(IReadOnlySet<>))
        || (type.IsGenericType && type.GetGenericTypeDefinition().FullName == "Microsoft.FSharp.Collections.FSharpSet`1");

    /// <summary>Returns key and value of an item of a dictionary.</summary>
    public static (object Key, object? Value) Pair(object item) => item is DictionaryEntry entry ? (entry.Key, entry.Value)
        : (item.GetType().GetProperty("Key")!.GetValue(item)!, item.GetType().GetProperty("Value")!.GetValue(item));

    private static bool Has(Type type, Type definition) =>
        type.GetInterfaces().Any(one => one.IsGenericType && one.GetGenericTypeDefinition() == definition);

    private static IEnumerable<MemberInfo> DataMembers(Type type) => type
        .GetMembers(BindingFlags.Public | BindingFlags.Instance)
        .Where(member => member is FieldInfo or PropertyInfo { CanRead: true, PropertyType.IsByRefLike: false }
            && (member is not PropertyInfo property || property.GetIndexParameters().Length == 0))
        .OrderBy(member => member.MetadataToken);

    private static object? Read(object owner, MemberInfo member, string name)
    {
        try
        {
            return member is FieldInfo field ? field.GetValue(owner) : ((PropertyInfo)member).GetValue(owner);
        }
        catch (TargetInvocationException thrown)
        {
            throw new ArgumentException($"{name} has a {owner.GetType()}, whose {member.Name} throws "
                + $"{thrown.InnerException?.GetType().Name}: {thrown.InnerException?.Message}", thrown.InnerException);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]   // so that only F# values load F#'s library
    private static ObjectParts OfFSharp(object value, Type type)
    {
        if (FSharpType.IsRecord(type, FSharpOption<BindingFlags>.None))
            return new ObjectParts([.. Named(
                FSharpType.GetRecordFields(type, FSharpOption<BindingFlags>.None),
                FSharpValue.GetRecordFields(value, FSharpOption<BindingFlags>.None))]);
        var (found, fields) = FSharpValue.GetUnionFields(value, type, FSharpOption<BindingFlags>.None);
        if (found.DeclaringType.Name is "FSharpOption`1" or "FSharpValueOption`1")
            return new ObjectParts([], fields.FirstOrDefault(), IsValue: true);
        if (fields.Length == 0) return new ObjectParts([], found.Name, IsValue: true);
        return new ObjectParts([("Case", found.Name), .. Named(found.GetFields(), fields)]);
    }

    private static IEnumerable<(object Key, object? Value)> Named(PropertyInfo[] fields, object[] values) =>
        fields.Zip(values, (field, value) => ((object)field.Name, (object?)value));
}
